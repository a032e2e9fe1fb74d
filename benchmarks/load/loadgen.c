/*
 * Load generator for servers that speak the MT Remote protocol: WebSocket, JSON text, requests with ids.
 *
 * One thread, one epoll set, no dependencies:  cc -O2 -o loadgen loadgen.c
 *
 *   calls   --connections connections keep --depth requests each in flight
 *   fanout  one publisher throws --burst ticks in, waits until each of --connections subscribers has them, goes on
 *   feed    one publisher throws --rate ticks a second in for --connections subscribers; another session calls
 *   idle    opens a tenth of --connections, waits, opens the rest, and holds them until its input ends
 *
 * It prints "ready" when everything is set up, waits for a line on its input, runs, and prints one JSON object. So the
 * caller can measure the server over exactly that span. What it gets is verified: the handshake's digest, ids that are
 * outstanding, status OK, the text that an answer must have, event_id from 0 without gaps, every event delivered. Any
 * deviation ends it with a message and exit code 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 256, MOST_SETUP = 16, READ_SIZE = 1 << 18 };

typedef struct {
    char *bytes;
    size_t start, end, size;
} Buffer;

typedef struct Connection {
    int fd;
    bool waits_to_write;
    Buffer in, out, message;
    uint32_t next_id, outstanding;
    uint64_t next_event;
    uint64_t *sent_at; /* by id modulo SLOTS, 0 where nothing is outstanding */
    void (*answered)(struct Connection *, uint64_t latency);
} Connection;

static struct {
    const char *mode, *host, *call, *expect, *symbol;
    const char *setup[MOST_SETUP], *subscribe[MOST_SETUP];
    int setups, subscribes, port, connections, depth, burst, rate;
    double seconds, warmup;
    size_t min_bytes;
} option = {.mode = "calls", .host = "127.0.0.1", .symbol = "EURUSD", .connections = 1, .depth = 1, .burst = 1,
            .rate = 1000, .seconds = 1, .warmup = 0.2};

static int poller;
static Connection *connections;
static int opened;
static bool sending;            /* whether an answer brings the next request */
static uint64_t total_outstanding, operations, events_missing, ticks_sent, bytes_received;
static uint64_t *samples;       /* latencies in ns */
static size_t sample_count, sample_room;

/* Small things */

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t random_bits(void) {
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void record(uint64_t latency) {
    if (sample_count == sample_room) {
        sample_room = sample_room ? sample_room * 2 : 1 << 16;
        samples = realloc(samples, sample_room * sizeof *samples);
        if (!samples) fail("out of memory");
    }
    samples[sample_count++] = latency;
}

static char *reserve(Buffer *buffer, size_t more) {
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->end + more > buffer->size && buffer->start) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->end + more > buffer->size) {
        buffer->size = (buffer->end + more) * 2;
        buffer->bytes = realloc(buffer->bytes, buffer->size);
        if (!buffer->bytes) fail("out of memory");
    }
    return buffer->bytes + buffer->end;
}

/* Sending */

static void flush(Connection *c) {
    while (c->out.start < c->out.end) {
        ssize_t n = send(c->fd, c->out.bytes + c->out.start, c->out.end - c->out.start, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) fail("connection %d: send: %s", (int)(c - connections), strerror(errno));
        c->out.start += (size_t)n;
    }
    bool waits = c->out.start < c->out.end;
    if (waits != c->waits_to_write) {
        struct epoll_event change = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &change);
        c->waits_to_write = waits;
    }
}

static void put_frame(Connection *c, uint8_t opcode, const char *payload, size_t length) {
    uint8_t *frame = (uint8_t *)reserve(&c->out, length + 14), mask[4];
    size_t head = 2;
    uint32_t key = random_bits();
    memcpy(mask, &key, 4);
    frame[0] = 0x80 | opcode;
    if (length < 126) {
        frame[1] = 0x80 | (uint8_t)length;
    } else if (length < 65536) {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(length >> 8);
        frame[3] = (uint8_t)length;
        head = 4;
    } else {
        frame[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++) frame[2 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
        head = 10;
    }
    memcpy(frame + head, mask, 4);
    for (size_t i = 0; i < length; i++) frame[head + 4 + i] = (uint8_t)payload[i] ^ mask[i & 3];
    c->out.end += head + 4 + length;
}

/* A request is given without its id: "name":"ticks.get","data":{...} */
static void put_request(Connection *c, const char *request) {
    static Buffer text;
    size_t most = strlen(request) + 32;
    text.start = text.end = 0;
    char *at = reserve(&text, most);
    uint64_t *slot = &c->sent_at[c->next_id % SLOTS];
    if (*slot) fail("more than %d requests are outstanding", SLOTS);
    int length = snprintf(at, most, "{\"id\":%u,%s}", c->next_id, request);
    *slot = now();
    c->next_id++;
    c->outstanding++;
    total_outstanding++;
    put_frame(c, 1, at, (size_t)length);
}

static void put_tick(Connection *c) {
    char request[160];
    unsigned point = (unsigned)(ticks_sent++ % 1000);
    snprintf(request, sizeof request, "\"name\":\"tick.add\",\"data\":{\"symbol\":\"%s\",\"bid\":1.1%04u,\"ask\":1.1%04u}",
             option.symbol, point, point + 2);
    put_request(c, request);
}

/* Receiving */

static uint64_t number_after(const char *message, size_t length, const char *key, const char *what) {
    const char *at = memmem(message, length < 256 ? length : 256, key, strlen(key));
    if (!at || at[strlen(key)] < '0' || at[strlen(key)] > '9')
        fail("no %s in: %.*s", what, (int)(length < 300 ? length : 300), message);
    return strtoull(at + strlen(key), NULL, 10);
}

static void take_answer(Connection *c, const char *message, size_t length) {
    uint64_t id = number_after(message, length, "\"id\":", "id");
    uint64_t *slot = &c->sent_at[id % SLOTS];
    if (id >= c->next_id || !*slot) fail("an answer to request %lu, which is not outstanding", (unsigned long)id);
    if (!memmem(message, length < 256 ? length : 256, "\"status\":\"OK\"", 13))
        fail("an answer that is not OK: %.*s", (int)(length < 400 ? length : 400), message);
    uint64_t latency = now() - *slot;
    *slot = 0;
    c->outstanding--;
    total_outstanding--;
    if (c->answered == NULL) return;
    if (option.expect && !memmem(message, length, option.expect, strlen(option.expect)))
        fail("%s is not in: %.*s", option.expect, (int)(length < 400 ? length : 400), message);
    if (length < option.min_bytes) fail("an answer of %zu bytes, expected %zu", length, option.min_bytes);
    c->answered(c, latency);
}

static void take_message(Connection *c, const char *message, size_t length) {
    static const char event[] = "{\"event\":\"tick\",";
    if (length < sizeof event - 1 || memcmp(message, event, sizeof event - 1) != 0) {
        take_answer(c, message, length);
        return;
    }
    uint64_t number = number_after(message, length, "\"event_id\":", "event_id");
    if (number != c->next_event)
        fail("event_id %lu, expected %lu", (unsigned long)number, (unsigned long)c->next_event);
    if (!memmem(message, length, option.symbol, strlen(option.symbol)) || message[length - 1] != '}')
        fail("not a tick of %s: %.*s", option.symbol, (int)length, message);
    c->next_event++;
    if (!events_missing) fail("an event that nobody asked for: %.*s", (int)length, message);
    events_missing--;
}

static void take_frame(Connection *c, uint8_t first, const char *payload, size_t length) {
    uint8_t opcode = first & 15;
    if (opcode == 9) {
        put_frame(c, 10, payload, length);
    } else if (opcode == 1 && first & 0x80) {
        take_message(c, payload, length);
    } else if (opcode <= 1) {
        memcpy(reserve(&c->message, length), payload, length);
        c->message.end += length;
        if (first & 0x80) {
            take_message(c, c->message.bytes + c->message.start, c->message.end - c->message.start);
            c->message.start = c->message.end;
        }
    } else if (opcode == 8) {
        fail("connection %d was closed: %u %.*s", (int)(c - connections),
             length > 1 ? (unsigned)((uint8_t)payload[0] << 8 | (uint8_t)payload[1]) : 0,
             length > 2 ? (int)length - 2 : 0, payload + (length > 2 ? 2 : 0));
    }
}

/* Takes the whole frames at the head of what came; returns how many bytes they had. */
static size_t take_frames(Connection *c, const char *bytes, size_t have) {
    size_t at = 0;
    for (;;) {
        const uint8_t *data = (const uint8_t *)bytes + at;
        size_t left = have - at, head = 2;
        if (left < 2) return at;
        uint64_t length = data[1] & 127;
        if (data[1] & 128) fail("a masked frame from the server");
        if (length == 126) {
            head = 4;
            if (left < head) return at;
            length = (uint64_t)data[2] << 8 | data[3];
        } else if (length == 127) {
            head = 10;
            if (left < head) return at;
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | data[i];
        }
        if (left - head < length) return at;
        take_frame(c, data[0], (const char *)data + head, length);
        at += head + length;
    }
}

static void take_input(Connection *c) {
    static char came[READ_SIZE];
    ssize_t n = recv(c->fd, came, sizeof came, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) fail("connection %d: recv: %s", (int)(c - connections), strerror(errno));
    if (n == 0) fail("connection %d: the server hung up", (int)(c - connections));
    bytes_received += (uint64_t)n;
    size_t taken = 0;
    if (c->in.start == c->in.end) taken = take_frames(c, came, (size_t)n);
    if (taken < (size_t)n) { /* part of a frame is kept until the rest comes */
        memcpy(reserve(&c->in, (size_t)n - taken), came + taken, (size_t)n - taken);
        c->in.end += (size_t)n - taken;
        if (!taken) c->in.start += take_frames(c, c->in.bytes + c->in.start, c->in.end - c->in.start);
    }
    if (c->out.start < c->out.end) flush(c);
}

/* Waits for the network; timers give their handler as data. */

typedef struct {
    Connection shape; /* fd alone is used: tells a timer from a connection by address */
    void (*fired)(uint64_t times);
} Timer;

static Timer tick_timer, call_timer;

static void turn(int milliseconds) {
    struct epoll_event ready[256];
    int count = epoll_wait(poller, ready, 256, milliseconds);
    if (count == 0) fail("nothing came for %d s; %lu requests and %lu events are outstanding", milliseconds / 1000,
                         (unsigned long)total_outstanding, (unsigned long)events_missing);
    for (int i = 0; i < count; i++) {
        Connection *c = ready[i].data.ptr;
        if (c == &tick_timer.shape || c == &call_timer.shape) {
            uint64_t times;
            if (read(c->fd, &times, sizeof times) == sizeof times) ((Timer *)c)->fired(times);
            continue;
        }
        if (ready[i].events & EPOLLOUT) flush(c);
        if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) take_input(c);
    }
}

static void drain(void) {
    while (total_outstanding || events_missing) turn(20000);
}

static void start_timer(Timer *timer, void (*fired)(uint64_t), uint64_t first, uint64_t then) {
    timer->fired = fired;
    if (!timer->shape.fd) {
        timer->shape.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        struct epoll_event add = {.events = EPOLLIN, .data.ptr = timer};
        epoll_ctl(poller, EPOLL_CTL_ADD, timer->shape.fd, &add);
    }
    struct itimerspec spec = {{(time_t)(then / 1000000000u), (long)(then % 1000000000u)},
                              {(time_t)(first / 1000000000u), (long)(first % 1000000000u)}};
    timerfd_settime(timer->shape.fd, 0, &spec, NULL);
}

/* Opening */

static void open_connection(Connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)option.port)};
    char answer[4096], request[512];
    size_t got = 0;
    int one = 1;
    if (inet_pton(AF_INET, option.host, &address.sin_addr) != 1) fail("%s is no IPv4 address", option.host);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("connect: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int length = snprintf(request, sizeof request,
                          "GET / HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          option.host, option.port);
    if (send(c->fd, request, (size_t)length, MSG_NOSIGNAL) != length) fail("send: %s", strerror(errno));
    do {
        ssize_t n = recv(c->fd, answer + got, sizeof answer - 1 - got, 0);
        if (n <= 0) fail("connection %d: no answer to the handshake", opened);
        got += (size_t)n;
        answer[got] = 0;
    } while (!strstr(answer, "\r\n\r\n") && got < sizeof answer - 1);
    if (strncmp(answer, "HTTP/1.1 101", 12) != 0 || !strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        fail("the handshake was refused: %s", answer);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event add = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &add);
    c->sent_at = calloc(SLOTS, sizeof *c->sent_at);
    opened++;
}

static void set_up(Connection *c, bool subscribes) {
    for (int i = 0; i < option.setups; i++) put_request(c, option.setup[i]);
    for (int i = 0; subscribes && i < option.subscribes; i++) put_request(c, option.subscribe[i]);
    flush(c);
}

static void open_until(int wanted, int subscribers) {
    while (opened < wanted) {
        open_connection(&connections[opened]);
        set_up(&connections[opened - 1], opened <= subscribers);
        if (total_outstanding > 64) drain();
    }
    drain();
}

/* The modes */

static void call_again(Connection *c, uint64_t latency) {
    operations++;
    record(latency);
    if (sending) put_request(c, option.call);
}

static void run_calls(double seconds) {
    uint64_t end = now() + (uint64_t)(seconds * 1e9);
    sending = true;
    for (int i = 0; i < opened; i++) {
        connections[i].answered = call_again;
        for (int k = 0; k < option.depth; k++) put_request(&connections[i], option.call);
        flush(&connections[i]);
    }
    while (now() < end) turn(20000);
    sending = false;
    drain();
}

static void run_fanout(double seconds) {
    uint64_t end = now() + (uint64_t)(seconds * 1e9);
    Connection *publisher = &connections[option.connections];
    while (now() < end) {
        uint64_t start = now(), events = (uint64_t)option.connections * (uint64_t)option.burst;
        for (int i = 0; i < option.burst; i++) put_tick(publisher);
        events_missing = events;
        flush(publisher);
        drain();
        operations += events;
        record(now() - start);
    }
}

static uint64_t feed_end;

static void feed_ticks(uint64_t times) {
    Connection *publisher = &connections[option.connections];
    uint64_t count = times * (uint64_t)option.rate / 1000;
    while (count-- && publisher->outstanding < SLOTS - 1) { /* a server that can't follow gets fewer */
        put_tick(publisher);
        events_missing += (uint64_t)option.connections;
        operations += (uint64_t)option.connections;
    }
    flush(publisher);
}

static void feed_call(uint64_t times) {
    Connection *caller = &connections[option.connections + 1];
    (void)times;
    put_request(caller, option.call);
    flush(caller);
}

static void feed_answered(Connection *c, uint64_t latency) {
    (void)c;
    record(latency);
    if (now() < feed_end) start_timer(&call_timer, feed_call, 200000 + random_bits() % 1600000, 0);
}

static void run_feed(double seconds) {
    feed_end = now() + (uint64_t)(seconds * 1e9);
    connections[option.connections + 1].answered = feed_answered;
    start_timer(&tick_timer, feed_ticks, 1000000, 1000000);
    start_timer(&call_timer, feed_call, 1000000, 0);
    while (now() < feed_end) turn(20000);
    start_timer(&tick_timer, feed_ticks, 0, 0);
    drain();
    start_timer(&call_timer, feed_call, 0, 0);
}

/* The whole */

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double part) {
    return sample_count ? (double)samples[(size_t)(part * (double)(sample_count - 1))] / 1000 : 0;
}

static void report(double seconds) {
    qsort(samples, sample_count, sizeof *samples, by_size);
    printf("{\"mode\":\"%s\",\"generator\":\"c\",\"operations\":%lu,\"seconds\":%.6f,\"samples\":%zu,\"ticks\":%lu,"
           "\"bytes_received\":%lu,\"latency_us\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}}\n",
           option.mode, (unsigned long)operations, seconds, sample_count, (unsigned long)ticks_sent,
           (unsigned long)bytes_received, percentile(0.5), percentile(0.9), percentile(0.99), percentile(0.999),
           percentile(1));
    fflush(stdout);
}

/* Leaves as a client should, so that no server has an error to log. */
static void close_all(void) {
    for (int i = 0; i < opened; i++) {
        put_frame(&connections[i], 8, "\x03\xe8", 2);
        flush(&connections[i]);
    }
}

static bool wait_for_line(void) {
    char byte = 0;
    while (read(0, &byte, 1) == 1)
        if (byte == '\n') return true;
    return false;
}

static void read_options(int argc, char **argv) {
    static const char *names[] = {"mode", "host", "port", "connections", "depth", "burst", "rate", "seconds", "warmup",
                                  "setup", "subscribe", "call", "expect", "min-bytes", "symbol"};
    enum { COUNT = sizeof names / sizeof *names };
    struct option known[COUNT + 1] = {{0}};
    for (int i = 0; i < COUNT; i++) known[i] = (struct option){names[i], required_argument, NULL, i};
    for (int chosen; (chosen = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (chosen) {
        case 0: option.mode = optarg; break;
        case 1: option.host = optarg; break;
        case 2: option.port = atoi(optarg); break;
        case 3: option.connections = atoi(optarg); break;
        case 4: option.depth = atoi(optarg); break;
        case 5: option.burst = atoi(optarg); break;
        case 6: option.rate = atoi(optarg); break;
        case 7: option.seconds = atof(optarg); break;
        case 8: option.warmup = atof(optarg); break;
        case 9: if (option.setups < MOST_SETUP) option.setup[option.setups++] = optarg; break;
        case 10: if (option.subscribes < MOST_SETUP) option.subscribe[option.subscribes++] = optarg; break;
        case 11: option.call = optarg; break;
        case 12: option.expect = optarg; break;
        case 13: option.min_bytes = (size_t)atol(optarg); break;
        case 14: option.symbol = optarg; break;
        default: exit(2);
        }
    }
    if (!option.port || option.connections < 1 || option.depth >= SLOTS || option.burst >= SLOTS)
        fail("--port is needed; depth and burst are below %d", SLOTS);
    if ((!strcmp(option.mode, "calls") || !strcmp(option.mode, "feed")) && !option.call) fail("--call is needed");
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    bool fanout = !strcmp(option.mode, "fanout"), feed = !strcmp(option.mode, "feed"), idle = !strcmp(option.mode, "idle");
    void (*run)(double) = fanout ? run_fanout : feed ? run_feed : run_calls;
    int subscribers = fanout || feed ? option.connections : 0, extra = fanout ? 1 : feed ? 2 : 0;
    poller = epoll_create1(0);
    connections = calloc((size_t)(option.connections + extra), sizeof *connections);
    open_until(idle ? (option.connections + 9) / 10 : option.connections + extra, subscribers);
    if (!idle && option.warmup > 0) run(option.warmup);
    operations = sample_count = ticks_sent = bytes_received = 0;
    puts("ready");
    fflush(stdout);
    if (!wait_for_line()) return 1;
    uint64_t start = now();
    int before = opened;
    if (idle) {
        open_until(option.connections, 0);
        operations = (uint64_t)(opened - before);
    } else {
        run(option.seconds);
    }
    report((double)(now() - start) / 1e9);
    if (idle) wait_for_line();
    close_all();
    return 0;
}
