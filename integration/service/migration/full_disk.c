// Stands between a program and fdatasync(2): once the file named by FULL_WHEN is there, a file whose name ends in
// FULL_FILE cannot be brought to the disk. That is where a full disk shows at the latest.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_full(int fd) {
    char link[64], name[4096];
    const char *file = getenv("FULL_FILE"), *when = getenv("FULL_WHEN");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0 || !file || !when || access(when, F_OK) != 0) return 0;
    name[length] = 0;
    size_t end = strlen(file);
    return (size_t) length >= end && strcmp(name + length - end, file) == 0;
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd);
}
