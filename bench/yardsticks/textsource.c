/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textsource FILE - holds a file in memory, listens on a free loopback port, prints it, and writes
 * the file to the first client in pieces of 256 KiB; then it closes and ends.
 */
#define _GNU_SOURCE
#include "counter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct stat stat;
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;

    if (file < 0 || fstat(file, &stat)) {
        fprintf(stderr, "usage: textsource FILE\n");
        return 2;
    }
    size_t size = (size_t)stat.st_size;
    char *text = pages(size + 1);
    for (size_t at = 0; at < size;) {
        ssize_t n = read(file, text + at, size - at);
        if (n <= 0)
            die("read");
        at += (size_t)n;
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
        listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length))
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int client = accept(listener, NULL, NULL);
    if (client < 0)
        die("accept");
    for (size_t at = 0; at < size;) {
        size_t piece = size - at < 262144 ? size - at : 262144;
        ssize_t n = write(client, text + at, piece);
        if (n < 0)
            die("write");
        at += (size_t)n;
    }
    close(client);
    return 0;
}
