/*
 * Makes the n-th disk operation of a process fail, fall short, or be its last. Preloaded into the real tool:
 *
 *   LD_PRELOAD=libfaultshim.so APOLLO_FAULT_ROOT=/models/tiny APOLLO_FAULT=17:eio apollo-checkpoint sync ...
 *
 *   APOLLO_FAULT_ROOT   only operations on paths that begin with this count
 *   APOLLO_FAULT_LOG    every counted operation is appended: "17 fsync /models/tiny/x", "+ failed" where it was made to fail
 *   APOLLO_FAULT        N:KIND
 *       kill    the process is killed (SIGKILL) before operation N
 *       lose    as kill, and bytes that were not flushed are put back as they were: what a power cut may do
 *       eio     operation N fails with EIO; a flush that fails has flushed nothing
 *       nospc   operation N fails with ENOSPC
 *       full    operation N and every later one that needs space fail with ENOSPC
 *       short   a write N takes half of its bytes and says so
 *       torn    a write N takes half of its bytes; the next operation fails with EIO
 *
 * .NET does not call libc through the usual table: it asks dlsym(libc, "pwrite"). So dlsym is one of the functions here, and answers
 * with ours. Names (rename, unlink) are not undone by lose; their loss is what the in-memory disk of the unit tests is for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { NONE, KILL, LOSE, EIO_, NOSPC, FULL, SHORT, TORN };

/* What one write overwrote, newest first. */
struct undo {
    struct undo *older;
    dev_t device;
    ino_t inode;
    int descriptor; /* our own, so that it outlives the caller's */
    off_t offset, length_before;
    size_t size;
    char bytes[];
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static struct undo *unflushed;
static enum kind kind;
static long target, count;
static int torn, log_file = -1;
static const char *root;
static size_t root_length;

__attribute__((constructor)) static void start(void)
{
    const char *fault = getenv("APOLLO_FAULT"), *log = getenv("APOLLO_FAULT_LOG");
    static const char *const names[] = { "", "kill", "lose", "eio", "nospc", "full", "short", "torn" };
    root = getenv("APOLLO_FAULT_ROOT");
    root_length = root ? strlen(root) : 0;
    if (log)
        log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fault && strchr(fault, ':')) {
        target = atol(fault);
        for (int i = 1; i < 8; i++)
            if (!strcmp(strchr(fault, ':') + 1, names[i]))
                kind = (enum kind)i;
    }
}

static int is_ours(const char *path)
{
    return root && path && !strncmp(path, root, root_length);
}

static void note(const char *text)
{
    if (log_file >= 0)
        (void)!syscall(SYS_write, log_file, text, strlen(text));
}

static void path_of(int descriptor, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = 0;
}

static void put_back(void)
{
    for (struct undo *u = unflushed; u; u = u->older) {
        (void)!syscall(SYS_pwrite64, u->descriptor, u->bytes, u->size, u->offset);
        (void)!syscall(SYS_ftruncate, u->descriptor, u->length_before);
    }
}

/* Remembers what a write is about to change. The gate is held. */
static void remember(int descriptor, size_t size, off_t offset)
{
    struct stat now;
    if (kind != LOSE || fstat(descriptor, &now))
        return;
    off_t old = now.st_size > offset ? now.st_size - offset : 0;
    size_t kept = old < (off_t)size ? (size_t)old : size;
    struct undo *u = malloc(sizeof *u + kept);
    u->device = now.st_dev;
    u->inode = now.st_ino;
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
    u->descriptor = (int)syscall(SYS_openat, AT_FDCWD, self, O_RDWR | O_CLOEXEC, 0);
    u->offset = offset;
    u->length_before = now.st_size;
    u->size = (size_t)syscall(SYS_pread64, u->descriptor, u->bytes, kept, offset);
    u->older = unflushed;
    unflushed = u;
}

static void flushed(int descriptor)
{
    struct stat now;
    if (kind != LOSE || fstat(descriptor, &now))
        return;
    for (struct undo **at = &unflushed; *at;) {
        struct undo *u = *at;
        if (u->device == now.st_dev && u->inode == now.st_ino) {
            *at = u->older;
            close(u->descriptor);
            free(u);
        } else
            at = &u->older;
    }
}

/* Counts an operation. The gate is held. Returns the errno that it must fail with, 0: do it, or -1: do half of it. */
static int begin(const char *call, const char *path, int needs_space, int is_write)
{
    char line[4608];
    int fault = 0;
    count++;
    snprintf(line, sizeof line, "%ld %s %s\n", count, call, path);
    note(line);
    if (torn) {
        torn = 0;
        fault = EIO;
    } else if (kind == FULL && count >= target && needs_space)
        fault = ENOSPC;
    else if (count == target) {
        switch (kind) {
        case KILL:
        case LOSE:
            put_back();
            raise(SIGKILL);
            break;
        case EIO_: fault = EIO; break;
        case NOSPC: fault = ENOSPC; break;
        case TORN: torn = is_write; /* fall through */
        case SHORT: fault = is_write ? -1 : 0; break;
        default: break;
        }
    }
    if (fault > 0)
        note("+ failed\n");
    return fault;
}

static int begin_file(const char *call, int descriptor, int needs_space, int is_write, int *is_counted)
{
    char path[4096];
    path_of(descriptor, path, sizeof path);
    *is_counted = is_ours(path);
    return *is_counted ? begin(call, path, needs_space, is_write) : 0;
}


#define FAIL(error) ({ pthread_mutex_unlock(&gate); errno = (error); -1; })

static ssize_t shim_pwrite(int descriptor, const void *bytes, size_t size, off_t offset)
{
    int counted;
    pthread_mutex_lock(&gate);
    int fault = begin_file("pwrite", descriptor, 1, 1, &counted);
    if (fault > 0)
        return FAIL(fault);
    if (fault < 0 && size > 1)
        size /= 2;
    if (counted)
        remember(descriptor, size, offset);
    ssize_t done = syscall(SYS_pwrite64, descriptor, bytes, size, offset);
    pthread_mutex_unlock(&gate);
    return done;
}

static int shim_fsync(int descriptor)
{
    int counted;
    pthread_mutex_lock(&gate);
    int fault = begin_file("fsync", descriptor, 0, 0, &counted);
    if (fault > 0)
        return FAIL(fault);
    if (counted)
        flushed(descriptor);
    int done = (int)syscall(SYS_fsync, descriptor);
    pthread_mutex_unlock(&gate);
    return done;
}

static int shim_ftruncate(int descriptor, off_t length)
{
    int counted;
    pthread_mutex_lock(&gate);
    int fault = begin_file("ftruncate", descriptor, 0, 0, &counted);
    if (fault > 0)
        return FAIL(fault);
    int done = (int)syscall(SYS_ftruncate, descriptor, length);
    pthread_mutex_unlock(&gate);
    return done;
}

/* Returns its errno and sets none. */
static int shim_posix_fallocate(int descriptor, off_t offset, off_t length)
{
    int counted;
    pthread_mutex_lock(&gate);
    int fault = begin_file("fallocate", descriptor, 1, 0, &counted);
    if (fault <= 0 && syscall(SYS_fallocate, descriptor, 0, offset, length))
        fault = errno;
    pthread_mutex_unlock(&gate);
    return fault > 0 ? fault : 0;
}

static int begin_name(const char *call, const char *path, int needs_space)
{
    return is_ours(path) ? begin(call, path, needs_space, 0) : 0;
}

static int shim_renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    char both[8300];
    pthread_mutex_lock(&gate);
    snprintf(both, sizeof both, "%s -> %s", from, to);
    int fault = begin_name("rename", both, 0);
    if (fault > 0)
        return FAIL(fault);
    int done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    pthread_mutex_unlock(&gate);
    return done;
}

static int shim_rename(const char *from, const char *to)
{
    return shim_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int shim_unlink(const char *path)
{
    pthread_mutex_lock(&gate);
    int fault = begin_name("unlink", path, 0);
    if (fault > 0)
        return FAIL(fault);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_unlock(&gate);
    return done;
}

static int shim_mkdir(const char *path, mode_t mode)
{
    pthread_mutex_lock(&gate);
    int fault = begin_name("mkdir", path, 1);
    if (fault > 0)
        return FAIL(fault);
    int done = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    pthread_mutex_unlock(&gate);
    return done;
}

/* Only the opens that make a file count. */
static int shim_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = (mode_t)va_arg(rest, int);
        va_end(rest);
    }
    pthread_mutex_lock(&gate);
    int fault = (flags & O_CREAT) && (flags & O_EXCL) ? begin_name("create", path, 1) : 0;
    if (fault > 0)
        return FAIL(fault);
    int done = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_unlock(&gate);
    return done;
}

static const struct {
    const char *name;
    void *ours;
} table[] = {
    { "pwrite", shim_pwrite },
    { "fsync", shim_fsync },
    { "ftruncate", shim_ftruncate },
    { "posix_fallocate", shim_posix_fallocate },
    { "rename", shim_rename },
    { "renameat2", shim_renameat2 },
    { "unlink", shim_unlink },
    { "mkdir", shim_mkdir },
    { "open", shim_open },
};

void *dlsym(void *library, const char *name)
{
    static void *(*real)(void *, const char *);
    if (!real) {
        real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
        if (!real)
            real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
        if (!real)
            real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
    }
    for (size_t i = 0; root && i < sizeof table / sizeof *table; i++)
        if (!strcmp(name, table[i].name))
            return table[i].ours;
    return real(library, name);
}
