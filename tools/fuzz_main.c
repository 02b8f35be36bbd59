/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_main - runs a fuzz target (x_fuzz.c) as a plain regression test, without libFuzzer: every
 * corpus file as it is and damaged, and inputs made from seeds. The seed is printed before its
 * inputs run, so that a crash can be repeated: fuzz-x --seed N [FILE or FOLDER]...
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_OF_INPUT = 1 << 16, INPUTS_PER_SEED = 300, DAMAGES_PER_FILE = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;
static unsigned long inputs;

/* splitmix64 */
static uint64_t next_random(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The target gets a block of exactly that size, so that a sanitizer sees a read past its end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        exit(2);
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

/* Few different bytes, so that structure appears by chance. */
static void fill(uint8_t *data, size_t size)
{
    static const char letters[] =
        "\0\1\xff\n\r ,:;<>{}[]()\"\\-+.0123456789abcnt{STRING BIGINT ARRAY";
    uint64_t kind = next_random() % 3;

    for (size_t i = 0; i < size; i++) {
        uint64_t x = next_random();
        data[i] = kind == 0 ? (uint8_t)x : (uint8_t)letters[x % (sizeof letters - 1)];
    }
}

static void damage(uint8_t *data, size_t *size)
{
    for (uint64_t n = 1 + next_random() % 4; n > 0 && *size > 0; n--) {
        size_t at = (size_t)(next_random() % *size);
        switch (next_random() % 4) {
        case 0:
            data[at] ^= (uint8_t)(1u << (next_random() % 8));
            break;
        case 1:
            data[at] = (uint8_t)next_random();
            break;
        case 2:
            *size = at;
            break;
        default:
            memset(data + at, next_random() & 1 ? 0xff : 0, *size - at < 4 ? *size - at : 4);
        }
    }
}

static void run_seed(uint64_t seed)
{
    static uint8_t data[SIZE_MAX_OF_INPUT];

    printf("seed %" PRIu64 "\n", seed);
    fflush(stdout);
    state = seed;
    for (int i = 0; i < INPUTS_PER_SEED; i++) {
        size_t limit = (size_t)1 << (next_random() % 13);
        size_t size = (size_t)(next_random() % (limit + 1));
        fill(data, size);
        run(data, size);
    }
}

static void run_file(const char *path)
{
    static uint8_t data[SIZE_MAX_OF_INPUT], copy[SIZE_MAX_OF_INPUT];
    FILE *file = fopen(path, "rb");

    if (!file)
        return;
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    run(data, size);
    state = size;
    for (int i = 0; i < DAMAGES_PER_FILE; i++) {
        size_t left = size;
        memcpy(copy, data, size);
        damage(copy, &left);
        run(copy, left);
    }
}

static void run_path(const char *path)
{
    DIR *folder = opendir(path);

    if (!folder) {
        run_file(path);
        return;
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char name[4096];
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            run_file(name);
        }
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    static const uint64_t seeds[] = {1, 2, 3, 20240229, 0xbec4};
    bool seeded = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            run_seed(strtoull(argv[++i], NULL, 10));
            seeded = true;
        } else {
            run_path(argv[i]);
        }
    }
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds && !seeded; i++)
        run_seed(seeds[i]);
    printf("%lu inputs\n", inputs);
    return 0;
}
