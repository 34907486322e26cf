/* LD_PRELOAD: the clock of one process runs faster, and its wall clock can be stepped.
 * cc -shared -fPIC -O2 -o warp.so warp.c -ldl      WARP_FILE names the page that clock.py writes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct slot { int64_t true_mono, mono, wall; double speed; } __attribute__((packed));
struct page { int64_t index; struct slot slots[16]; } __attribute__((packed));
static volatile struct page *page;

__attribute__((constructor)) static void attach(void) {
    const char *name = getenv("WARP_FILE");
    int fd = name ? open(name, O_RDONLY) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct page), PROT_READ, MAP_SHARED, fd, 0);
    page = at == MAP_FAILED ? NULL : at;
    close(fd);
}

static int64_t true_mono(void) {
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int clock_gettime(clockid_t id, struct timespec *out) {
    int64_t elapsed, t;
    volatile struct slot *slot;
    if (!page || (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME && id != CLOCK_BOOTTIME
                  && id != CLOCK_MONOTONIC_COARSE && id != CLOCK_REALTIME_COARSE && id != CLOCK_MONOTONIC_RAW))
        return syscall(SYS_clock_gettime, id, out);
    slot = &page->slots[page->index];
    elapsed = (int64_t)((true_mono() - slot->true_mono) * slot->speed);
    t = (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? slot->wall : slot->mono) + elapsed;
    out->tv_sec = t / 1000000000LL;
    out->tv_nsec = t % 1000000000LL;
    return 0;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    out->tv_sec = t.tv_sec;
    out->tv_usec = t.tv_nsec / 1000;
    return 0;
}

/* Never long, since the speed may change during the wait: whoever waits looks at the clock again. */
static int shorter(int ms) {
    if (!page || ms == 0) return ms;
    if (ms < 0) return 50;
    int scaled = (int)(ms / page->slots[page->index].speed);
    return scaled < 1 ? 1 : scaled > 50 ? 50 : scaled;
}

int epoll_wait(int fd, struct epoll_event *events, int n, int ms) {
    static int (*next)(int, struct epoll_event *, int, int);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
    return next(fd, events, n, shorter(ms));
}

int poll(struct pollfd *fds, nfds_t n, int ms) {
    static int (*next)(struct pollfd *, nfds_t, int);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "poll");
    return next(fds, n, ms < 0 ? ms : shorter(ms));
}
