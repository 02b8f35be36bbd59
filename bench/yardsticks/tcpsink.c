/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcpsink PORT - receives a text from loopback with plain read() of 1 MiB and counts its words, all
 * in one thread. Prints "seconds words check": from the connection to the last word.
 */
#define _GNU_SOURCE
#include "counter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ ((size_t)1 << 20)

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct counter c;
    size_t open = 0;
    char *data = pages(2 * READ + COUNTER_SLACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);

    if (argc != 2) {
        fprintf(stderr, "usage: tcpsink PORT\n");
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    double begin = seconds_now();
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address))
        die("connect");
    counter_init(&c);
    for (;;) {
        ssize_t n = read(s, data + open, READ);
        if (n < 0)
            die("read");
        if (n == 0)
            break;
        size_t have = open + (size_t)n, used = counter_feed(&c, data, have);
        memmove(data, data + used, have - used);
        open = have - used;
        if (open > READ) {
            fprintf(stderr, "a word of more than %zu bytes\n", READ);
            return 1;
        }
    }
    counter_last(&c, data, open);
    double took = seconds_now() - begin;
    printf("%.6f %llu %016llx\n", took, (unsigned long long)c.words,
           (unsigned long long)counter_check(&c));
    return 0;
}
