/* Preloaded into blastgit and git: has one write operation on files below a folder fail, once or from then on.
 *
 * All processes share a page of memory, the file that BLASTGIT_FAULTS names: which operation is to fail, and how many
 * there have been. Operations on other files than those below BLASTGIT_FAULTS_ROOT neither count nor fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct plan {
    volatile int armed;    /* 0: nothing counts */
    volatile int error;    /* errno of the fault */
    volatile int for_good; /* whether all after it fail, too */
    volatile int nth;      /* from 1; 0: none fails */
    volatile int count;    /* operations so far */
    volatile int failed;   /* how many of them failed */
    char what[500];        /* the first that failed */
};

static struct plan *plan;
static const char *root;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BLASTGIT_FAULTS");
    root = getenv("BLASTGIT_FAULTS_ROOT");
    if (!path || !root) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) plan = page;
}

static int fails(const char *what, const char *path) {
    if (strncmp(path, root, strlen(root))) return 0;
    int number = __sync_add_and_fetch(&plan->count, 1);
    if (!plan->nth || number < plan->nth || (number > plan->nth && !plan->for_good)) return 0;
    if (!__sync_fetch_and_add(&plan->failed, 1)) snprintf(plan->what, sizeof plan->what, "%s %s", what, path);
    errno = plan->error;
    return 1;
}

static int fails_fd(const char *what, int fd) {
    char link[40], path[4096];
    if (!plan || !plan->armed) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails(what, path);
}

static int fails_at(const char *what, int dir, const char *name) {
    char link[40], path[8192];
    if (!plan || !plan->armed) return 0;
    if (name[0] == '/') return fails(what, name);
    if (dir == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t size = readlink(link, path, 4095);
    if (size < 0) return 0;
    snprintf(path + size, sizeof path - size, "/%s", name);
    return fails(what, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_FD(type, name, parameters, arguments, fd) \
    type name parameters { return fails_fd(#name, fd) ? -1 : REAL(name) arguments; }

ON_FD(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), fd)
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), fd)
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at), fd)
ON_FD(ssize_t, writev, (int fd, const struct iovec *data, int count), (fd, data, count), fd)
ON_FD(ssize_t, sendfile, (int fd, int in, off_t *at, size_t size), (fd, in, at, size), fd)
ON_FD(ssize_t, sendfile64, (int fd, int in, off64_t *at, size_t size), (fd, in, at, size), fd)
ON_FD(ssize_t, copy_file_range, (int in, off64_t *from, int fd, off64_t *to, size_t size, unsigned flags),
      (in, from, fd, to, size, flags), fd)
ON_FD(int, fsync, (int fd), (fd), fd)
ON_FD(int, fdatasync, (int fd), (fd), fd)
ON_FD(int, syncfs, (int fd), (fd), fd)

/* What is written through a stream reaches the file at its end, by calls inside of the C library. */
int fclose(FILE *file) {
    int fd = file ? fileno(file) : -1;
    if (fd > 2 && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY && fails_fd("fclose", fd)) {
        int error = errno;
        REAL(fclose)(file);
        errno = error;
        return EOF;
    }
    return REAL(fclose)(file);
}

int rename(const char *from, const char *to) {
    return fails_at("rename", AT_FDCWD, to) ? -1 : REAL(rename)(from, to);
}
int renameat(int old, const char *from, int new, const char *to) {
    return fails_at("renameat", new, to) ? -1 : REAL(renameat)(old, from, new, to);
}
int renameat2(int old, const char *from, int new, const char *to, unsigned flags) {
    return fails_at("renameat2", new, to) ? -1 : REAL(renameat2)(old, from, new, to, flags);
}
int link(const char *from, const char *to) {
    return fails_at("link", AT_FDCWD, to) ? -1 : REAL(link)(from, to);
}
int linkat(int old, const char *from, int new, const char *to, int flags) {
    return fails_at("linkat", new, to) ? -1 : REAL(linkat)(old, from, new, to, flags);
}
int mkdir(const char *path, mode_t mode) {
    return fails_at("mkdir", AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode);
}
int mkdirat(int dir, const char *path, mode_t mode) {
    return fails_at("mkdirat", dir, path) ? -1 : REAL(mkdirat)(dir, path, mode);
}

#define OPEN(name, dir, parameters, before)                                  \
    int name parameters {                                                    \
        mode_t mode = 0;                                                     \
        if (flags & (O_CREAT | __O_TMPFILE)) {                               \
            va_list rest;                                                    \
            va_start(rest, flags);                                           \
            mode = va_arg(rest, mode_t);                                     \
            va_end(rest);                                                    \
            if ((flags & O_CREAT) && fails_at("create", dir, path)) return -1; \
        }                                                                    \
        return REAL(name) before;                                            \
    }
OPEN(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, dir, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
OPEN(openat64, dir, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
