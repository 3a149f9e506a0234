/* A disk that can lose its power, fill up, and stop a process at any of its calls. Loaded before the C library of the
 * program under test (LD_PRELOAD); tests/outage/disk.rs compiles it and says what each test does with it.
 *
 * OUTAGE_ROOT     the folder that lies on this disk, absolute
 * OUTAGE_SHADOW   what survives a loss of power: f/KEY is a file as it was when it was last synced, d/KEY the names in a
 *                 folder as they were when that was. A KEY is a number of the file system's own, so that a file keeps it
 *                 under any name. Whatever was not synced is not in there.
 * OUTAGE_FORGETS  a piece of a path: syncs of files and folders whose path has it are answered and not done
 * OUTAGE_CONTROL  a file of numbers (64 bits each) that the test sets and reads while the program runs:
 *                 room left in bytes, or less than 0 for enough; syncs until death; changes until death; syncs so far;
 *                 changes so far. A change is a write, a cut, a sync, a removal or another name.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOM, DEATH_BY_SYNC, DEATH_BY_CHANGE, SYNCS, CHANGES, NUMBERS };
enum { MOST_FILES = 4096 };

static const char *root, *shadow, *forgets;
static _Atomic int64_t nothing[NUMBERS] = {-1, -1, -1, 0, 0};
static _Atomic int64_t *control = nothing;
static _Atomic(char *) paths[MOST_FILES];
static _Atomic unsigned drafts;

__attribute__((constructor)) static void begin(void) {
    root = getenv("OUTAGE_ROOT");
    shadow = getenv("OUTAGE_SHADOW");
    forgets = getenv("OUTAGE_FORGETS");
    const char *path = getenv("OUTAGE_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof nothing, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) control = map;
    syscall(SYS_close, fd);
}

static int within(const char *path) {
    size_t n = root ? strlen(root) : 0;
    return n && path && !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}

/* The path under which a file of this disk was opened. */
static const char *path_of(int fd) { return fd >= 0 && fd < MOST_FILES ? paths[fd] : NULL; }

static void opened(int fd, const char *path) {
    if (fd < 0 || fd >= MOST_FILES) return;
    /* A name is never freed: another thread may be reading it, and a test is short. */
    paths[fd] = within(path) ? strdup(path) : NULL;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* One more change, which is the last one when its number has come. */
static void change(int is_sync) {
    atomic_fetch_add(&control[CHANGES], 1);
    if (control[DEATH_BY_CHANGE] > 0 && atomic_fetch_sub(&control[DEATH_BY_CHANGE], 1) == 1) die();
    if (!is_sync) return;
    atomic_fetch_add(&control[SYNCS], 1);
    if (control[DEATH_BY_SYNC] > 0 && atomic_fetch_sub(&control[DEATH_BY_SYNC], 1) == 1) die();
}

/* ---- what survives ---- */

static int key_of(int dir, const char *name, int flags, char *key, size_t size, struct statx *st) {
    if (statx(dir, name, flags | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, st)) return -1;
    snprintf(key, size, "%llu-%lld.%u", (unsigned long long)st->stx_ino, (long long)st->stx_btime.tv_sec,
             st->stx_btime.tv_nsec);
    return 0;
}

static int draft_to(char *draft, size_t size) {
    snprintf(draft, size, "%s/t/%d-%u", shadow, getpid(), atomic_fetch_add(&drafts, 1));
    return (int)syscall(SYS_openat, AT_FDCWD, draft, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static void land(int out, const char *draft, const char *kind, const char *key) {
    char to[4096];
    syscall(SYS_close, out);
    snprintf(to, sizeof to, "%s/%s/%s", shadow, kind, key);
    if (syscall(SYS_renameat, AT_FDCWD, draft, AT_FDCWD, to)) die();
}

static void keep_file(int fd, const char *key, uint64_t len) {
    char draft[4096];
    int out = draft_to(draft, sizeof draft);
    if (out < 0) die();
    for (loff_t from = 0, to = 0; (uint64_t)from < len;) {
        ssize_t n = copy_file_range(fd, &from, out, &to, len - (uint64_t)from, 0);
        if (n < 0) die();
        if (n == 0) break;
    }
    land(out, draft, "f", key);
}

static void keep_names(int fd, const char *key) {
    char draft[4096], line[1024], child[128];
    int out = draft_to(draft, sizeof draft);
    int again = (int)syscall(SYS_openat, fd, ".", O_RDONLY | O_DIRECTORY);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    if (out < 0 || !dir) die();
    for (struct dirent *e; (e = readdir(dir));) {
        struct statx st;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        if (key_of(fd, e->d_name, 0, child, sizeof child, &st)) continue;
        int n = snprintf(line, sizeof line, "%c %o %s %s\n", S_ISDIR(st.stx_mode) ? 'd' : 'f', st.stx_mode & 07777,
                         child, e->d_name);
        if (syscall(SYS_write, out, line, n) != n) die();
    }
    closedir(dir);
    land(out, draft, "d", key);
}

static int sync_of(int fd, int (*real)(int)) {
    const char *path = path_of(fd);
    if (path) change(1);
    int done = real(fd);
    if (done || !path || !shadow || (forgets && strstr(path, forgets))) return done;
    char key[128];
    struct statx st;
    if (key_of(fd, "", AT_EMPTY_PATH, key, sizeof key, &st)) die();
    if (S_ISDIR(st.stx_mode)) keep_names(fd, key);
    else keep_file(fd, key, st.stx_size);
    return 0;
}

#define REAL(type, name, ...)                                      \
    static type (*real)(__VA_ARGS__);                              \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

int fsync(int fd) {
    REAL(int, "fsync", int);
    return sync_of(fd, real);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return sync_of(fd, real);
}

/* ---- names ---- */

/* What was opened to be written alone is opened to be read as well, so that it can be kept. */
static int readable(const char *path, int flags) {
    return within(path) && (flags & O_ACCMODE) == O_WRONLY ? (flags & ~O_ACCMODE) | O_RDWR : flags;
}

#define OPEN(name)                                                 \
    int name(const char *path, int flags, ...) {                   \
        REAL(int, #name, const char *, int, ...);                  \
        va_list list;                                              \
        va_start(list, flags);                                     \
        mode_t mode = va_arg(list, mode_t);                        \
        va_end(list);                                              \
        int fd = real(path, readable(path, flags), mode);          \
        opened(fd, path);                                          \
        return fd;                                                 \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                               \
    int name(int at, const char *path, int flags, ...) {           \
        REAL(int, #name, int, const char *, int, ...);             \
        va_list list;                                              \
        va_start(list, flags);                                     \
        mode_t mode = va_arg(list, mode_t);                        \
        va_end(list);                                              \
        int fd = real(at, path, readable(path, flags), mode);      \
        opened(fd, path);                                          \
        return fd;                                                 \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    REAL(int, "close", int);
    if (fd >= 0 && fd < MOST_FILES) paths[fd] = NULL;
    return real(fd);
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    if (within(path)) change(0);
    return real(path);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    if (within(to)) change(0);
    return real(from, to);
}

/* ---- bytes ---- */

/* Whether a write may be done: one within what a file has takes no room, one behind its end does. */
static int admitted(int fd, off_t at, size_t len) {
    const char *path = path_of(fd);
    if (!path) return 1;
    change(0);
    if (control[ROOM] < 0) return 1;
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return 1;
    off_t end = at + (off_t)len;
    if (end <= st.st_size) return 1;
    int64_t more = end - st.st_size;
    if (atomic_fetch_sub(&control[ROOM], more) >= more) return 1;
    atomic_fetch_add(&control[ROOM], more);
    errno = ENOSPC;
    return 0;
}

static off_t place(int fd) {
    if (!path_of(fd)) return 0;
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_APPEND) && !fstat(fd, &st)) return st.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *bytes, size_t len) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return admitted(fd, place(fd), len) ? real(fd, bytes, len) : -1;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    size_t len = 0;
    for (int i = 0; i < count; i++) len += parts[i].iov_len;
    return admitted(fd, place(fd), len) ? real(fd, parts, count) : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return admitted(fd, at, len) ? real(fd, bytes, len, at) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return admitted(fd, at, len) ? real(fd, bytes, len, at) : -1;
}

int ftruncate(int fd, off_t len) {
    REAL(int, "ftruncate", int, off_t);
    if (path_of(fd)) change(0);
    return real(fd, len);
}

int ftruncate64(int fd, off64_t len) {
    REAL(int, "ftruncate64", int, off64_t);
    if (path_of(fd)) change(0);
    return real(fd, len);
}
