/* A disk that fails at the n-th call: preloaded in front of the C library.
 *
 * It knows three kinds of file by their names: the database (0), its write-ahead log (1) and the mirror (2).
 * fault_arm makes calls of one kind on one of them fail; fault_dirty tells whether something was written to
 * one that no flush has made safe since. For one process, whose disk is used in one thread at a time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 3
#define HANDLES 4096

enum { WRITE, SYNC, READ };
enum { SHORT = -1, LIE = -2 };

static signed char kinds[HANDLES]; /* kind + 1; 0: not ours */
static int armed, armed_file, armed_call, armed_error;
static long armed_after, armed_times, fired;
static int dirty[FILES];

void fault_arm(int file, int call, long after, long times, int error) {
    armed_file = file, armed_call = call, armed_after = after, armed_times = times, armed_error = error;
    armed = 1;
}

void fault_disarm(void) { armed = 0; }
long fault_fired(void) { return fired; }
int fault_dirty(int file) { return dirty[file]; }
void fault_clean(void) { memset(dirty, 0, sizeof dirty); }

static int kind_of_name(const char *path) {
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (!strcmp(name, "journal.db")) return 0;
    if (!strcmp(name, "journal.db-wal")) return 1;
    if (!strncmp(name, "facts-", 6)) return 2;
    return -1;
}

static int kind_of(int handle) { return handle >= 0 && handle < HANDLES ? kinds[handle] - 1 : -1; }

static int opened(int handle, const char *path) {
    if (handle >= 0 && handle < HANDLES) kinds[handle] = (signed char)(kind_of_name(path) + 1);
    return handle;
}

/* 0: let it through; else the error of this call. */
static int fails(int handle, int call) {
    int kind = kind_of(handle);
    if (!armed || kind != armed_file || call != armed_call) return 0;
    if (armed_after-- > 0) return 0;
    if (armed_times-- <= 0) { armed = 0; return 0; }
    fired++;
    return armed_error;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }

int open(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = next("open");
    MODE(flags)
    return opened(real(path, flags, mode), path);
}

int open64(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = next("open64");
    MODE(flags)
    return opened(real(path, flags, mode), path);
}

int close(int handle) {
    static int (*real)(int);
    if (!real) real = next("close");
    if (handle >= 0 && handle < HANDLES) kinds[handle] = 0;
    return real(handle);
}

/* What a write does under a fault: -1 with errno, or the half of it. */
#define WRITES(real_call) \
    int kind = kind_of(handle), error = fails(handle, WRITE); \
    if (error == SHORT) size = size / 2; \
    else if (error > 0) { errno = error; return -1; } \
    ssize_t done = (real_call); \
    if (done > 0 && kind >= 0) dirty[kind] = 1; \
    return done;

ssize_t write(int handle, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = next("write");
    WRITES(real(handle, data, size))
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t place) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = next("pwrite");
    WRITES(real(handle, data, size, place))
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t place) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = next("pwrite64");
    WRITES(real(handle, data, size, place))
}

ssize_t pread(int handle, void *data, size_t size, off_t place) {
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real) real = next("pread");
    int error = fails(handle, READ);
    if (error > 0) { errno = error; return -1; }
    return real(handle, data, size, place);
}

ssize_t pread64(int handle, void *data, size_t size, off64_t place) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) real = next("pread64");
    int error = fails(handle, READ);
    if (error > 0) { errno = error; return -1; }
    return real(handle, data, size, place);
}

#define SYNCS(real_call) \
    int kind = kind_of(handle), error = fails(handle, SYNC); \
    if (error == LIE) return 0; \
    if (error > 0) { errno = error; return -1; } \
    int done = (real_call); \
    if (!done && kind >= 0) dirty[kind] = 0; \
    return done;

int fsync(int handle) {
    static int (*real)(int);
    if (!real) real = next("fsync");
    SYNCS(real(handle))
}

int fdatasync(int handle) {
    static int (*real)(int);
    if (!real) real = next("fdatasync");
    SYNCS(real(handle))
}
