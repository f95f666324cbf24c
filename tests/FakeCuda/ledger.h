/* What the stand-in driver is told (settings), what it counts, and what it found against its caller (findings). */
#ifndef LEDGER_H
#define LEDGER_H

#include <stddef.h>
#include <stdint.h>

enum needs { NOTHING = 0, INIT = 1, CONTEXT = 2 | INIT };

/* Takes the lock, counts the call, and returns the answer that a setting injects into it, or 0. */
int begin_call(const char *name, enum needs needs);

/* Lets go of the lock and returns its argument. */
int end_call(int result);

/* Records a finding: KEY is what tests look for. */
void found(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A setting: of the last setup text, or of the environment when there was none. NULL when it is not set. */
const char *setting(const char *name);

/* Counts that are reported. All are changed under the lock only. */
struct counts {
    uint64_t opens, copies, bytes, distinct, backward, most_in_flight, overlapped_waits;
};
extern struct counts counts;

/* In copies.c and devices.c: findings about what is still open, and the state of a driver that was just loaded. */
void find_leaks(void);
void forget_everything(void);
int is_initialized(void);
int current_device(void); /* ordinal of the device whose context is current on this thread, or -1 */

#endif
