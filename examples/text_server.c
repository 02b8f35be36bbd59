/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_server - sends a text file over and over to whoever connects; something to count for
 * network_word_count. Prints the port it listens on, and serves until it is ended.
 *
 *     text_server FILE [BYTES_PER_SECOND]
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

struct text {
    char *data;
    size_t size;
};

static struct text read_file(const char *path)
{
    struct text text = {NULL, 0};
    FILE *file = fopen(path, "rb");

    if (!file)
        return text;
    for (size_t capacity = PIECE;; capacity *= 2) {
        char *data = realloc(text.data, capacity);
        if (!data)
            break;
        text.data = data;
        text.size += fread(data + text.size, 1, capacity - text.size, file);
        if (text.size < capacity)
            break;
    }
    fclose(file);
    return text;
}

/* A listening socket on a free port of the loopback interface; -1 if there is none. */
static int listen_somewhere(int *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 4) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return listener;
}

/* Waits until `sent` bytes are due since `start`. */
static void pace(const struct timespec *start, double sent, double bytes_per_second)
{
    struct timespec due = *start;
    double seconds = sent / bytes_per_second;

    due.tv_sec += (time_t)seconds;
    due.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (due.tv_nsec >= 1000000000L) {
        due.tv_nsec -= 1000000000L;
        due.tv_sec++;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
    }
}

static void serve(int client, const struct text *text, double bytes_per_second)
{
    struct timespec start;
    double sent = 0;
    size_t at = 0;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        size_t left = text->size - at;
        ssize_t n = send(client, text->data + at, left < PIECE ? left : PIECE, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at = (at + (size_t)n) % text->size;
        sent += (double)n;
        if (bytes_per_second > 0)
            pace(&start, sent, bytes_per_second);
    }
}

int main(int argc, char **argv)
{
    double bytes_per_second = argc > 2 ? strtod(argv[2], NULL) : 0;
    int port = 0;

    if (argc < 2) {
        fprintf(stderr, "use: text_server FILE [BYTES_PER_SECOND]\n");
        return 1;
    }
    struct text text = read_file(argv[1]);
    if (text.size == 0) {
        fprintf(stderr, "text_server: %s cannot be read or is empty\n", argv[1]);
        return 1;
    }
    int listener = listen_somewhere(&port);
    if (listener < 0) {
        fprintf(stderr, "text_server: no port: %s\n", strerror(errno));
        return 1;
    }
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0) {
            serve(client, &text, bytes_per_second);
            close(client);
        }
    }
}
