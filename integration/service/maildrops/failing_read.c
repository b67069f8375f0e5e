/* A disk that fails: read() of the file whose path ends in FAILING_FILE gives EIO from octet FAILING_FROM on, as soon as
 * the file FAILING_WHEN exists; with FAILING_HANGS it waits in place of that until the file is gone. Loaded in front of the C library by LD_PRELOAD. preadv2(), which Restante asks of the
 * kernel without the C library, is not there at all, as on a file system that does not know it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_failing_file(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    const char *name = getenv("FAILING_FILE");
    if (length < 0 || name == NULL || (size_t)length < strlen(name)) {
        return 0;
    }
    path[length] = '\0';
    return strcmp(path + length - strlen(name), name) == 0 && access(getenv("FAILING_WHEN"), F_OK) == 0;
}

ssize_t read(int descriptor, void *buffer, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL) {
        real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    }
    if (getenv("FAILING_HANGS") != NULL) {
        while (is_failing_file(descriptor)) {
            usleep(10000);
        }
    } else if (is_failing_file(descriptor)) {
        off_t from = atol(getenv("FAILING_FROM")), at = lseek(descriptor, 0, SEEK_CUR);
        if (at >= from) {
            errno = EIO;
            return -1;
        }
        if (at + (off_t)count > from) {
            count = (size_t)(from - at);
        }
    }
    return real(descriptor, buffer, count);
}

__attribute__((constructor)) static void without_preadv2(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("seccomp");
        abort();
    }
}
