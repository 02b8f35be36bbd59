/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h - for tests of this room: an ingest with a clock of its own, what it logs and posts,
 * and a receiver that plays a script.
 */
#ifndef BECK_INGEST_TESTING_H
#define BECK_INGEST_TESTING_H

#include "ingest/ingest.h"
#include "os/testing.h"

/* One open or poll of the receiver: what it stores, then what it answers. */
struct act {
    const char *bytes; /* beck_store_bytes; NULL: nothing */
    uint64_t token;
    beck_status answer;
    const char *why; /* of an error; NULL: none given */
};

/* All of it is looked at by the test; the receiver finds it through its parameters. */
struct script {
    const struct act *acts;
    size_t count, next;
    beck_status open_answer;
    int opened, closed, polled, stored;
    uint64_t stored_token;
    bool dirty; /* the state was not zeroed */
};

struct script_state {
    struct script *script;
};

static inline beck_status script_open(beck_receiver *r, void *state)
{
    struct script_state *s = state;
    struct script *script;

    memcpy(&script, beck_receiver_params(r), sizeof(struct script *));
    script->dirty |= s->script != NULL;
    s->script = script;
    script->opened++;
    return script->open_answer;
}

static inline beck_status script_poll(beck_receiver *r, void *state, int64_t timeout_ms)
{
    struct script *s = ((struct script_state *)state)->script;
    beck_status status = BECK_OK;

    (void)timeout_ms;
    s->polled++;
    if (s->next == s->count)
        return BECK_AGAIN;
    const struct act *act = &s->acts[s->next++];
    if (act->bytes)
        status = beck_store_bytes(r, act->token, act->bytes, strlen(act->bytes));
    if (status)
        return status;
    return act->why ? beck_receiver_error(r, act->answer, "%s", act->why) : act->answer;
}

static inline void script_stored(beck_receiver *r, void *state, uint64_t token)
{
    struct script *s = ((struct script_state *)state)->script;

    (void)r;
    s->stored++;
    s->stored_token = token;
}

static inline void script_close(beck_receiver *r, void *state)
{
    (void)r;
    ((struct script_state *)state)->script->closed++;
}

static const beck_receiver_class script_class = {.name = "script",
                                                 .schema = "value STRING",
                                                 .state_size = sizeof(struct script_state),
                                                 .open = script_open,
                                                 .poll = script_poll,
                                                 .stored = script_stored,
                                                 .close = script_close};

/* An ingest with one stream of lines, not started. */
struct intake {
    struct os *os;
    int64_t now_ms;
    struct log log;
    struct text logged; /* lines */
    struct text events; /* "started NAME\n", "error NAME: TEXT\n", "stopped NAME\n" */
    struct bus *bus;
    struct ingest *ingest;
    struct arena arena;
    const beck_schema *lines;
};

static inline int64_t intake_now(void *user)
{
    return ((struct intake *)user)->now_ms;
}

static inline void intake_log(void *user, beck_log_level level, const char *text)
{
    struct intake *t = user;

    (void)level;
    beck__text_printf(&t->logged, "%s\n", text);
}

static inline void intake_event(void *user, const beck_event *event)
{
    static const char *const names[] = {"started", "error", "stopped"};
    struct intake *t = user;

    assert_in_range(event->kind, BECK_EVENT_RECEIVER_STARTED, BECK_EVENT_RECEIVER_STOPPED);
    assert_in_range(event->time_ms, 1000, t->now_ms);
    beck__text_printf(&t->events, "%s %s", names[event->kind - BECK_EVENT_RECEIVER_STARTED],
                      event->name);
    if (event->error)
        beck__text_printf(&t->events, ": %s", event->error);
    beck__text_add(&t->events, "\n");
}

/* `options` with everything that is 0 filled in. */
static inline void intake_init(struct intake *t, const struct ingest_options *options)
{
    struct ingest_options o = *options;
    struct error error = {0};

    memset(t, 0, sizeof *t);
    t->os = beck__os_current();
    t->now_ms = 1000;
    t->log = (struct log){.os = t->os, .fn = intake_log, .user = t, .level = BECK_LOG_INFO};
    t->logged.memory = t->events.memory = &t->os->memory;
    t->bus = beck__bus_new(t->os, &t->os->memory, 0);
    beck__bus_add(t->bus, intake_event, t);
    beck__arena_init(&t->arena, &t->os->memory);
    beck__schema_parse(&t->arena, "value STRING", &t->lines, &error);
    o.os = t->os;
    o.bus = t->bus;
    o.log = &t->log;
    o.block_ms = o.block_ms ? o.block_ms : 200;
    o.block_bytes = o.block_bytes ? o.block_bytes : 4 << 20;
    o.bytes_max = o.bytes_max ? o.bytes_max : 64 << 20;
    o.restart_ms = o.restart_ms ? o.restart_ms : 2000;
    o.line_bytes_max = o.line_bytes_max ? o.line_bytes_max : 1 << 20;
    o.now_ms = o.now_ms ? o.now_ms : intake_now;
    o.user = o.user ? o.user : t;
    t->ingest = beck__ingest_new(&o, &error);
    assert_non_null(t->ingest);
}

static inline void intake_deinit(struct intake *t)
{
    beck__ingest_free(t->ingest);
    beck__bus_free(t->bus);
    beck__arena_deinit(&t->arena);
    beck__text_deinit(&t->logged);
    beck__text_deinit(&t->events);
}

/* Adds a stream that plays the script. */
static inline int intake_add(struct intake *t, struct script *script, const char *name)
{
    struct received received = {.class_of = &script_class,
                                .schema = t->lines,
                                .params = beck_bytes_of(&script, sizeof(struct script *)),
                                .name = name};
    int stream = beck__ingest_add(t->ingest, &received);

    assert_true(stream >= 0);
    return stream;
}

static inline void intake_start(struct intake *t, bool threaded)
{
    struct error error = {0};

    assert_ok(beck__ingest_start(t->ingest, threaded, &error), error);
}

/* The events so far; then they are forgotten. */
static inline void assert_events(struct intake *t, const char *expected)
{
    beck__bus_deliver(t->bus);
    assert_string_equal(beck__text_get(&t->events), expected);
    beck__text_clear(&t->events);
}

/* What a batch gets: rows one behind the other, "|" after each. Released at once. */
static inline const char *intake_take(struct intake *t, int stream, int64_t batch_ms,
                                      struct text *out)
{
    struct blocks blocks = {.memory = &t->os->memory};

    beck__text_clear(out);
    beck__ingest_allot(t->ingest, stream, batch_ms, &blocks);
    for (size_t i = 0; i < blocks.count; i++) {
        const beck_chunk *chunk = blocks.items[i]->chunk;
        for (uint32_t k = 0; k < chunk->rows; k++) {
            beck_str s = beck_view_string((const beck_view *)chunk->column[0].data + k);
            beck__text_append(out, s.data, s.size);
            beck__text_add(out, "|");
        }
    }
    uint64_t bytes = blocks.bytes;
    beck__blocks_deinit(&blocks);
    beck__ingest_release(t->ingest, stream, bytes);
    return beck__text_get(out);
}

static inline void assert_batch(struct intake *t, int stream, int64_t batch_ms,
                                const char *expected)
{
    struct text got = {.memory = &t->os->memory};

    assert_string_equal(intake_take(t, stream, batch_ms, &got), expected);
    beck__text_deinit(&got);
}

#endif
