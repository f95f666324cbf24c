/*
 * A trainer that never holds still: stamps every element of a file with its step, as fast as it can, inside the bracket of a state page
 * (docs/format-handles.md).   hogwild WEIGHTS PAGE
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct stat weights;
    int file = argc == 3 ? open(argv[1], O_RDWR) : -1, page = file < 0 ? -1 : open(argv[2], O_RDWR);
    if (page < 0 || fstat(file, &weights))
        return 2;
    volatile uint16_t *element = mmap(0, (size_t)weights.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *state = mmap(0, 64, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (element == MAP_FAILED || state == MAP_FAILED)
        return 2;
    _Atomic uint64_t *sequence = (_Atomic uint64_t *)(state + 8), *step = (_Atomic uint64_t *)(state + 16);
    uint32_t pid = (uint32_t)getpid();
    for (;;) {
        flock(page, LOCK_EX);
        memcpy(state + 32, &pid, 4);
        ++*sequence;
        uint16_t stamp = (uint16_t)(0x3c00 + (*step + 1) % 0x200);
        for (off_t i = 0; i < weights.st_size / 2; i++)
            element[i] = stamp;
        ++*step;
        ++*sequence;
        flock(page, LOCK_UN);
    }
}
