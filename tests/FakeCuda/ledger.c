/* Settings, counts and findings of the stand-in driver; see README.md. */
#define _GNU_SOURCE
#include "objects.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NAMES 64
#define MOST_FINDINGS 256

struct counts counts;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { const char *name; uint64_t calls; } names[MOST_NAMES];
static char *findings[MOST_FINDINGS];
static int finding_count;
static uint64_t all_calls;
static const char *last_injected;
static char *setup; /* "NAME=VALUE\n..." or NULL */

const char *setting(const char *name)
{
    static __thread char value[4096];
    if (!setup)
        return getenv(name);
    size_t length = strlen(name);
    for (const char *line = setup; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, name, length) == 0 && line[length] == '=') {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
            return value;
        }
    }
    return NULL;
}

void found(const char *key, const char *format, ...)
{
    char text[512];
    int used = snprintf(text, sizeof text, "%s: ", key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
    for (int i = 0; i < finding_count; i++)
        if (strcmp(findings[i], text) == 0)
            return;
    if (finding_count < MOST_FINDINGS)
        findings[finding_count++] = strdup(text);
}

static uint64_t count(const char *name)
{
    all_calls++;
    for (int i = 0; i < MOST_NAMES; i++) {
        if (!names[i].name)
            names[i].name = name;
        if (strcmp(names[i].name, name) == 0)
            return ++names[i].calls;
    }
    abort();
}

/* FAKE_CUDA_FAIL is "CALL=CODE" (always), "CALL#N=CODE" (the N-th time) or "*#N=CODE" (the N-th call of all), with commas between. */
static int injected(const char *name, uint64_t nth)
{
    const char *rule = setting("FAKE_CUDA_FAIL");
    while (rule && *rule) {
        char call[64];
        unsigned long long at = 0;
        int code = 0;
        if ((sscanf(rule, "%63[^#=,]#%llu=%d", call, &at, &code) == 3 || sscanf(rule, "%63[^#=,]=%d", call, &code) == 2)
            && ((strcmp(call, name) == 0 && (at == 0 || at == nth)) || (strcmp(call, "*") == 0 && at == all_calls)))
            return code;
        rule = strchr(rule, ',');
        rule = rule ? rule + 1 : NULL;
    }
    return 0;
}

int begin_call(const char *name, enum needs needs)
{
    pthread_mutex_lock(&lock);
    uint64_t nth = count(name);
    if ((needs & INIT) && !is_initialized())
        found("init", "%s before cuInit", name);
    else if (needs == CONTEXT && current_device() < 0)
        found("no-context", "%s on a thread without a current context", name);
    int answer = injected(name, nth);
    last_injected = answer ? name : last_injected;
    return answer;
}

int end_call(int result)
{
    pthread_mutex_unlock(&lock);
    return result;
}

/* Writes findings and counts as text. What is open now is written as left open, and not kept: it may still be closed. */
static void write_report(FILE *file)
{
    int kept = finding_count;
    find_leaks();
    for (int i = 0; i < finding_count; i++)
        fprintf(file, "finding %s\n", findings[i]);
    if (last_injected)
        fprintf(file, "injected %s\n", last_injected);
#define ROW(field) fprintf(file, "%s=%llu\n", #field, (unsigned long long)counts.field)
    ROW(opens);
    ROW(copies);
    ROW(bytes);
    ROW(distinct);
    ROW(backward);
    ROW(most_in_flight);
    ROW(overlapped_waits);
    fprintf(file, "calls=%llu\n", (unsigned long long)all_calls);
    for (int i = 0; i < MOST_NAMES && names[i].name; i++)
        fprintf(file, "%s=%llu\n", names[i].name, (unsigned long long)names[i].calls);
    while (finding_count > kept)
        free(findings[--finding_count]);
}

/* Begins anew, as if the library had just been loaded, with these settings ("NAME=VALUE\n...") in place of the environment's. */
EXPORT void fakeCudaSetup(const char *settings)
{
    pthread_mutex_lock(&lock);
    forget_everything();
    memset(&counts, 0, sizeof counts);
    memset(names, 0, sizeof names);
    while (finding_count > 0)
        free(findings[--finding_count]);
    all_calls = 0;
    last_injected = NULL;
    free(setup);
    setup = strdup(settings);
    pthread_mutex_unlock(&lock);
}

/* The report so far; what is open counts as left open. */
EXPORT void fakeCudaReport(char *buffer, size_t length)
{
    pthread_mutex_lock(&lock);
    FILE *file = fmemopen(buffer, length, "w");
    if (file) {
        write_report(file);
        fclose(file);
    }
    pthread_mutex_unlock(&lock);
}

/* A process that ends writes its report where FAKE_CUDA_REPORT says. */
__attribute__((destructor)) static void report_at_exit(void)
{
    const char *path = setting("FAKE_CUDA_REPORT");
    FILE *file = path && all_calls > 0 ? fopen(path, "w") : NULL;
    if (!file)
        return;
    write_report(file);
    fclose(file);
}
