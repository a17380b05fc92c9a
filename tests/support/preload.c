/* Faults below libc, for a daemon that is started with LD_PRELOAD: what no test can ask a healthy disk or clock for.
 *
 * FAULT_BOARD names a file of one `struct board`, mapped and shared: a test turns faults on and off in it while the
 * daemon runs. Calls on files whose path contains `part` fail with `error`, and host names that contain it are not
 * resolved; with the error HANG they do not return before it is taken back. The wall clock is `shift` seconds off, and `pass` seconds more have passed on the clock that only runs
 * forward.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { ON_OPEN = 1, ON_READ = 2, ON_WRITE = 4, ON_SYNC = 8, ON_RESOLVE = 16, ON_STAT = 32, FILES = 4096, HANG = -1 };

struct board {
    int64_t shift;
    int64_t pass;
    int32_t error;
    int32_t calls;
    char part[240];
    int64_t hung;
};

static struct board idle;
static volatile struct board *board = &idle;
static char marked[FILES][512];

__attribute__((constructor)) static void start(void)
{
    const char *name = getenv("FAULT_BOARD");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof idle, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        board = map;
}

#define REAL(name) ({ static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

static int is_meant(int call, const char *path)
{
    return path && board->error && (board->calls & call) && strstr(path, (const char *)board->part);
}

/* A call that hangs goes on as soon as the board no longer means it, also where it means another file at once. */
static int strikes_path(int call, const char *path)
{
    if (board->error == HANG && is_meant(call, path)) {
        __sync_fetch_and_add(&board->hung, 1);
        while (board->error == HANG && is_meant(call, path))
            usleep(10000);
    }
    return board->error != HANG && is_meant(call, path);
}

static int strikes(int call, int fd)
{
    return fd >= 0 && fd < FILES && marked[fd][0] && strikes_path(call, marked[fd]);
}

static int fails(void)
{
    errno = board->error;
    return -1;
}

static long opened(long fd, const char *path)
{
    if (fd >= 0 && fd < FILES && path) {
        strncpy(marked[fd], path, sizeof marked[fd] - 1);
    }
    return fd;
}

#define OPENER(call)                                                                                                   \
    {                                                                                                                  \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                                         \
            va_list more;                                                                                              \
            va_start(more, flags);                                                                                     \
            mode = va_arg(more, mode_t);                                                                               \
            va_end(more);                                                                                              \
        }                                                                                                              \
        return strikes_path(ON_OPEN, path) ? fails() : opened(call, path);                                             \
    }

int open(const char *path, int flags, ...) OPENER(REAL(open)(path, flags, mode))
int open64(const char *path, int flags, ...) OPENER(REAL(open64)(path, flags, mode))
int openat(int at, const char *path, int flags, ...) OPENER(REAL(openat)(at, path, flags, mode))
int openat64(int at, const char *path, int flags, ...) OPENER(REAL(openat64)(at, path, flags, mode))

/* openat2 has no wrapper in libc */
long syscall(long number, ...)
{
    long given[6];
    va_list more;
    va_start(more, number);
    for (int i = 0; i < 6; i++)
        given[i] = va_arg(more, long);
    va_end(more);
    const char *path = number == SYS_openat2 ? (const char *)given[1] : NULL;
    if (strikes_path(ON_OPEN, path))
        return fails();
    return opened(REAL(syscall)(number, given[0], given[1], given[2], given[3], given[4], given[5]), path);
}

#define ON_PATH(name, parameters, arguments)                                                                           \
    int name parameters { return strikes_path(ON_STAT, path) ? fails() : REAL(name) arguments; }

ON_PATH(stat, (const char *restrict path, struct stat *restrict to), (path, to))
ON_PATH(lstat, (const char *restrict path, struct stat *restrict to), (path, to))
ON_PATH(fstatat, (int at, const char *restrict path, struct stat *restrict to, int how), (at, path, to, how))
ON_PATH(statfs, (const char *path, struct statfs *to), (path, to))
ON_PATH(statvfs, (const char *restrict path, struct statvfs *restrict to), (path, to))
ON_PATH(access, (const char *path, int mode), (path, mode))

int close(int fd)
{
    if (fd >= 0 && fd < FILES)
        marked[fd][0] = 0;
    return REAL(close)(fd);
}

#define ON_FD(type, name, call, fd, parameters, arguments)                                                             \
    type name parameters { return strikes(call, fd) ? fails() : REAL(name) arguments; }

ON_FD(ssize_t, read, ON_READ, fd, (int fd, void *to, size_t size), (fd, to, size))
ON_FD(ssize_t, pread, ON_READ, fd, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
ON_FD(ssize_t, pread64, ON_READ, fd, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
ON_FD(ssize_t, readv, ON_READ, fd, (int fd, const struct iovec *to, int n), (fd, to, n))
ON_FD(ssize_t, preadv, ON_READ, fd, (int fd, const struct iovec *to, int n, off_t at), (fd, to, n, at))
ON_FD(ssize_t, preadv64, ON_READ, fd, (int fd, const struct iovec *to, int n, off64_t at), (fd, to, n, at))
ON_FD(ssize_t, preadv2, ON_READ, fd, (int fd, const struct iovec *to, int n, off_t at, int how), (fd, to, n, at, how))
ON_FD(ssize_t, preadv64v2, ON_READ, fd, (int fd, const struct iovec *to, int n, off64_t at, int how),
      (fd, to, n, at, how))
ON_FD(ssize_t, write, ON_WRITE, fd, (int fd, const void *from, size_t size), (fd, from, size))
ON_FD(ssize_t, pwrite, ON_WRITE, fd, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
ON_FD(ssize_t, pwrite64, ON_WRITE, fd, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
ON_FD(int, fsync, ON_SYNC, fd, (int fd), (fd))
ON_FD(int, fdatasync, ON_SYNC, fd, (int fd), (fd))

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t size, unsigned flags)
{
    if (strikes(ON_READ, from) || strikes(ON_WRITE, to))
        return fails();
    return REAL(copy_file_range)(from, at, to, there, size, flags);
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    int done = REAL(clock_gettime)(which, now);
    if (!done && which == CLOCK_REALTIME)
        now->tv_sec += board->shift;
    if (!done && which == CLOCK_MONOTONIC)
        now->tv_sec += board->pass;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int done = REAL(gettimeofday)(now, zone);
    if (!done)
        now->tv_sec += board->shift;
    return done;
}

time_t time(time_t *where)
{
    time_t now = REAL(time)(NULL) + board->shift;
    if (where)
        *where = now;
    return now;
}

int getaddrinfo(const char *restrict host, const char *restrict port, const struct addrinfo *restrict wanted,
                struct addrinfo **restrict found)
{
    return strikes_path(ON_RESOLVE, host) ? EAI_AGAIN : REAL(getaddrinfo)(host, port, wanted, found);
}
