/* The objects of the stand-in driver, shared by its files. All are changed under the ledger's lock only. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "ledger.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_BLOCKS 4096
#define MOST 256 /* other objects of a kind; few, because they are looked through at every copy */
#define MOST_DEVICES 8

/* Opaque pointers that are handed out: a base a kind, and an index. */
#define NAME(kind, index) ((void *)(uintptr_t)((kind) + (index)))
#define INDEX(kind, pointer) ((uint64_t)(uintptr_t)(pointer) - (kind))
enum { CONTEXT_KIND = 0x10000, STREAM_KIND = 0x20000, EVENT_KIND = 0x30000 };

enum { OK = 0, INVALID_VALUE = 1, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, PEER_UNSUPPORTED = 217, INVALID_HANDLE = 400,
       ILLEGAL_ADDRESS = 700 };

/* Device addresses that are handed out are no addresses of x86-64: following one ends the process. Each block has a span of its own. */
#define BLOCK_BASE 0x1000000000000000ull
#define BLOCK_SPAN (1ull << 40)

struct block { int open, device, file, ranged; unsigned char handle[64]; char *data; size_t size; uint64_t last; unsigned char *seen; };
struct pinned { int open, device; char *start; size_t size; };
struct copy { struct block *block; char *target; uint64_t offset; size_t bytes; };
struct stream { int open, device; struct copy *queue; size_t queued, done; };
struct event { int open, device, recorded; struct stream *stream; size_t upto; };

extern struct block blocks[MOST_BLOCKS];
extern struct pinned pins[MOST];
extern struct stream streams[MOST];
extern struct event events[MOST];
extern int broken[MOST_DEVICES]; /* the error that a device's context keeps giving after a failed copy, or 0 */

#define END(array) ((array) + sizeof(array) / sizeof *(array))
#define EACH(item, array) for (__typeof__(&(array)[0]) item = (array); item < END(array); item++) if (item->open)

/* The first free object of a kind. More than there is room for is a defect of the caller's, or of the test's: the process ends. */
#define FREE_ONE(array) ({ __typeof__(&(array)[0]) one = (array); while (one < END(array) && one->open) one++; if (one == END(array)) abort(); one; })

int device_count(void);
int has_context(void);       /* whether one is current on this thread */
int in_context(int injected); /* the answer to a call that needs one in working order: OK, or why not */
void forget_devices(void);
void find_left_contexts(void);

void close_block(struct block *block);
struct block *block_of(uint64_t pointer);

/* Whether a copy is under way from a block (or NULL), or into a stretch of memory (or NULL). */
int is_under_way(const struct block *block, const char *start, size_t size);

#endif
