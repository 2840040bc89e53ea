/* A wall clock that somebody sets: preloaded in front of the C library.
 *
 * The file named by FLOORHAND_TEST_CLOCK holds eight bytes, the seconds by which the wall clock is wrong; they
 * may change at any time. The monotonic clock stays as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wrong;
static const int64_t right = 0;

static int64_t by(void) {
    if (!wrong) {
        const char *path = getenv("FLOORHAND_TEST_CLOCK");
        int handle = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *place = handle < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, handle, 0);
        if (handle >= 0) close(handle);
        wrong = place == MAP_FAILED ? &right : place;
    }
    return *wrong;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    if (!done && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += by();
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
    int done = real(now, zone);
    if (!done) now->tv_sec += by();
    return done;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}
