// What QuickJS and libc ask of an operating system. There is none: the clock stands still where the call began, the zone
// is UTC, and nothing is printed. Defined here, they keep all imports of WASI out.
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>

#include "sources.h"

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int64_t now = sources_now();
  time->tv_sec = now / 1000000;
  time->tv_usec = now % 1000000;
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  *time = (struct timespec){0};
  return 0;
}

struct tm *localtime_r(const time_t *restrict time, struct tm *restrict parts) {
  memset(parts, 0, sizeof *parts);
  return parts;
}

_Noreturn void abort(void) { __builtin_trap(); }
_Noreturn void __assert_fail(const char *expression, const char *file, int line, const char *function) { abort(); }

// What printing begins with in QuickJS, where it describes its own state for debugging.
int fprintf(FILE *restrict file, const char *restrict format, ...) { return 0; }
int fputc(int byte, FILE *file) { return byte; }
int putchar(int byte) { return byte; }
int fputs(const char *restrict text, FILE *restrict file) { return 0; }
int fflush(FILE *file) { return 0; }

// What wasi-libc's files end in. Their types must be musl's, which calls them through pointers.
size_t __stdio_write(FILE *file, const unsigned char *bytes, size_t size) { return size; }
size_t __stdout_write(FILE *file, const unsigned char *bytes, size_t size) { return size; }
off_t __stdio_seek(FILE *file, off_t offset, int whence) { return -1; }
int __stdio_close(FILE *file) { return 0; }
int __isatty(int file) { return 0; }
