/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wordcount THREADS FILE - counts words with plain read() of 256 KiB pieces, a table per thread,
 * merged at the end. Prints "seconds words check": from the first byte to the merged table.
 *
 * A piece owns the words that begin in it.
 */
#define _GNU_SOURCE
#include "counter.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((uint64_t)256 << 10)
#define MORE  ((uint64_t)64 << 10) /* longest word across two pieces */

static int file;
static uint64_t file_size;
static atomic_uint_fast64_t next_piece;

static uint64_t read_at(char *data, uint64_t at, uint64_t size)
{
    uint64_t have = 0;

    while (have < size) {
        ssize_t n = pread(file, data + have, size - have, (off_t)(at + have));
        if (n < 0)
            die("pread");
        if (n == 0)
            break;
        have += (uint64_t)n;
    }
    return have;
}

static int delimiter(char c)
{
    return c == ' ' || c == '\n';
}

/* data[0] is the byte before the piece, or the piece begins the file (`first`). */
static void count_piece(struct counter *c, char *data, uint64_t from, uint64_t to)
{
    uint64_t base = from ? from - 1 : 0, have = read_at(data, base, to - base), start = 0;

    if (from) {
        start = 1;
        while (start < have && !delimiter(data[start - 1]))
            start++;
        if (start >= have && !delimiter(data[have - 1]))
            return;
    }
    if (start > have)
        return;
    uint64_t end = have;
    while (base + end < file_size &&
           !delimiter(data[end - 1])) { /* finish the word that was begun */
        uint64_t got = read_at(data + end, base + end, 64), k = 0;
        while (k < got && !delimiter(data[end + k]))
            k++;
        end += k < got ? k + 1 : got;
        if (end - have > MORE) {
            fprintf(stderr, "a word of more than %u bytes\n", (unsigned)MORE);
            exit(1);
        }
    }
    size_t used = counter_feed(c, data + start, end - start);
    counter_last(c, data + start + used, end - start - used);
}

static void *work(void *user)
{
    struct counter *c = user;
    char *data = pages(1 + PIECE + MORE + 128 + COUNTER_SLACK);

    for (;;) {
        uint64_t from = atomic_fetch_add(&next_piece, 1) * PIECE;
        if (from >= file_size)
            return NULL;
        count_piece(c, data, from, from + PIECE < file_size ? from + PIECE : file_size);
    }
}

int main(int argc, char **argv)
{
    struct counter counters[64];
    pthread_t threads[64];
    struct stat stat;
    int count = argc == 3 ? atoi(argv[1]) : 0;

    if (count < 1 || count > 64) {
        fprintf(stderr, "usage: wordcount THREADS FILE\n");
        return 2;
    }
    file = open(argv[2], O_RDONLY);
    if (file < 0 || fstat(file, &stat))
        die(argv[2]);
    file_size = (uint64_t)stat.st_size;
    double begin = seconds_now();
    for (int i = 0; i < count; i++)
        counter_init(&counters[i]);
    for (int i = 1; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, &counters[i]))
            die("pthread_create");
    work(&counters[0]);
    for (int i = 1; i < count; i++) {
        pthread_join(threads[i], NULL);
        counter_merge(&counters[0], &counters[i]);
    }
    double took = seconds_now() - begin;
    printf("%.6f %llu %016llx\n", took, (unsigned long long)counters[0].words,
           (unsigned long long)counter_check(&counters[0]));
    return 0;
}
