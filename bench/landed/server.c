/* The devices of the benchmark: one Modbus TCP server, one port for each device, in one thread with epoll.
 *
 *   server DEVICES DELAY_US HUNG WIDTH STRIDE
 *
 * DELAY_US: microseconds from request to answer. HUNG: the number of the device that takes connections and
 * never answers, -1 for none. Of each STRIDE addresses the first WIDTH are tags; the rest are gaps, which are
 * answered and not counted.
 *
 * Holding registers: 0 to 3 are the clock of the device, milliseconds since 1970 as 64 bits, the high word
 * first. 4 counts the scans: it is one more each time that it is read. All others are 7 * address + scan,
 * so a stored value tells of which scan it is, and no two scans are alike.
 *
 * The first line on stdout has the ports. SIGUSR1 prints a line of JSON: scans and tags served of each device.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FDS = 4096, MOST_DEVICES = 1024, MOST_PENDING = 1 << 16, HEADER = 7, LONGEST = 260 };

typedef struct { uint64_t scans, tags; } Device;
typedef struct { int device, listens, size; uint8_t in[4 * LONGEST]; } Socket;
typedef struct { int fd, generation, size; uint64_t due; uint8_t bytes[LONGEST]; } Pending;

static Device devices[MOST_DEVICES];
static Socket *sockets[MOST_FDS];
static int generations[MOST_FDS]; /* a number that is used anew belongs to another connection */
static Pending pending[MOST_PENDING];
static unsigned first, last; /* of the answers that wait, in the order in which they are due */
static int device_count, hung, width, stride, timer;
static uint64_t delay_us;

static uint64_t microseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void put16(uint8_t *at, unsigned value) { at[0] = (uint8_t)(value >> 8); at[1] = (uint8_t)value; }
static unsigned get16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

/* The answer to one request; how many bytes it has. */
static int answer(Device *device, const uint8_t *request, uint8_t *out) {
    unsigned function = request[7], address = get16(request + 8), count = get16(request + 10);
    memcpy(out, request, 4);
    out[6] = request[6];
    if (function != 3 || count < 1 || count > 125 || address + count > 65536) {
        put16(out + 4, 3);
        out[7] = (uint8_t)(function | 0x80);
        out[8] = function == 3 ? 2 : 1;
        return HEADER + 2;
    }
    if (address <= 4 && 4 < address + count) device->scans++;
    uint64_t clock = microseconds(CLOCK_REALTIME) / 1000u;
    for (unsigned at = 0; at < count; at++) {
        unsigned here = address + at, value;
        if (here < 4) value = (unsigned)(clock >> (16 * (3 - here)));
        else if (here == 4) value = (unsigned)device->scans;
        else value = 7 * here + (unsigned)device->scans;
        put16(out + 9 + 2 * at, value);
        if (here % (unsigned)stride < (unsigned)width) device->tags++;
    }
    put16(out + 4, 3 + 2 * count);
    out[7] = 3;
    out[8] = (uint8_t)(2 * count);
    return HEADER + 2 + 2 * (int)count;
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void opened(int epoll, int fd, int device, int listens) {
    if (fd >= MOST_FDS) { close(fd); return; }
    if (sockets[fd] == NULL) sockets[fd] = calloc(1, sizeof(Socket));
    *sockets[fd] = (Socket){.device = device, .listens = listens};
    generations[fd]++;
    watch(epoll, fd);
}

static int listening(int epoll, int device) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 64) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        perror("bind");
        exit(1);
    }
    opened(epoll, fd, device, 1);
    return ntohs(address.sin_port);
}

static void arm(void) {
    struct itimerspec when = {0};
    if (first != last) {
        uint64_t due = pending[first % MOST_PENDING].due;
        when.it_value.tv_sec = (time_t)(due / 1000000u);
        when.it_value.tv_nsec = (long)(due % 1000000u) * 1000 + 1;
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void send_due(void) {
    uint64_t now = microseconds(CLOCK_MONOTONIC);
    for (; first != last && pending[first % MOST_PENDING].due <= now; first++) {
        Pending *one = &pending[first % MOST_PENDING];
        if (one->generation == generations[one->fd] && write(one->fd, one->bytes, (size_t)one->size) < 0) continue;
    }
    arm();
}

static void answer_later(int fd, const uint8_t *request) {
    Pending *one = &pending[last++ % MOST_PENDING];
    one->fd = fd;
    one->generation = generations[fd];
    one->due = microseconds(CLOCK_MONOTONIC) + delay_us;
    one->size = answer(&devices[sockets[fd]->device], request, one->bytes);
    if (last - first == 1) arm();
}

/* Everything that a connection sent; 0 when it is over. */
static int serve(int fd) {
    Socket *from = sockets[fd];
    ssize_t got = read(fd, from->in + from->size, sizeof from->in - (size_t)from->size);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    from->size += (int)got;
    int at = 0;
    while (from->size - at >= 12) {
        int length = 6 + (int)get16(from->in + at + 4);
        if (length != 12) return 0; /* no read */
        if (from->device == hung) { /* nothing ever comes of it */ }
        else if (delay_us) answer_later(fd, from->in + at);
        else {
            uint8_t out[LONGEST];
            int size = answer(&devices[from->device], from->in + at, out);
            if (write(fd, out, (size_t)size) != size) return 0;
        }
        at += length;
    }
    memmove(from->in, from->in + at, (size_t)(from->size - at));
    from->size -= at;
    return 1;
}

static void accept_all(int epoll, int fd) {
    int made, on = 1;
    while ((made = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        opened(epoll, made, sockets[fd]->device, 0);
    }
}

static void tell(void) {
    printf("[");
    for (int at = 0; at < device_count; at++)
        printf("%s[%llu,%llu]", at ? "," : "", (unsigned long long)devices[at].scans, (unsigned long long)devices[at].tags);
    printf("]\n");
    fflush(stdout);
}

int main(int count, char **given) {
    if (count != 6) { fprintf(stderr, "server DEVICES DELAY_US HUNG WIDTH STRIDE\n"); return 2; }
    device_count = atoi(given[1]); delay_us = strtoull(given[2], NULL, 10);
    hung = atoi(given[3]); width = atoi(given[4]); stride = atoi(given[5]);
    if (device_count < 1 || device_count > MOST_DEVICES || stride < 1) return 2;
    signal(SIGPIPE, SIG_IGN);
    sigset_t asked;
    sigemptyset(&asked);
    sigaddset(&asked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    int epoll = epoll_create1(0), signals = signalfd(-1, &asked, SFD_NONBLOCK);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(epoll, signals);
    watch(epoll, timer);
    printf("[");
    for (int at = 0; at < device_count; at++) printf("%s%d", at ? "," : "", listening(epoll, at));
    printf("]\n");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int at = 0; at < ready; at++) {
            int fd = events[at].data.fd;
            uint8_t dropped[sizeof(struct signalfd_siginfo)];
            if (fd == signals) { if (read(fd, dropped, sizeof dropped) > 0) tell(); }
            else if (fd == timer) { if (read(fd, dropped, 8) > 0) send_due(); }
            else if (sockets[fd]->listens) accept_all(epoll, fd);
            else if (!serve(fd)) { generations[fd]++; close(fd); }
        }
    }
}
