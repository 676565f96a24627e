// SPDX-License-Identifier: MIT
/*
 * notes.c - what notes of the stream do to the warehouse: tables follow their sources, or are set
 * aside.
 *
 * A schema change is a barrier: what was collected before it is written first, of every table. One
 * that opens its transaction may commit what is whole before it, so that the table can be altered
 * where it is (see evolve.h); one in the middle of a transaction never commits half of it.
 */
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "evolve.h"

#define STATEMENT_SHOWN_BYTES 200

bool mr_apply_set_aside(struct mr_apply *apply, const struct mr_target *target, uint64_t sequence,
                        struct mr_error *err)
{
    if (err->recovery != MR_QUARANTINE) {
        return false;
    }
    if (target->beside != NULL && apply->follower != NULL) {
        apply->follower->is_given_up = true; /* the table itself is not touched by that */
        err->recovery = MR_RETRY;
        return false;
    }
    if (sequence == 0) { /* rows of a copy have nowhere to wait */
        err->recovery = MR_STOP;
        return false;
    }
    const struct mr_schema named = {.space = target->space, .table = target->table};
    mr_quarantine_decide(apply->quarantine, target->source_index, &named, sequence, err->message);
    err->recovery = MR_RETRY;
    return mr_error_context(err, "set aside from transaction %llu on",
                            (unsigned long long)sequence);
}

struct change {
    struct mr_apply *apply;
    const struct mr_batch *batch;
    const struct mr_note *note;
    uint64_t sequence;
    struct mr_native_position end;
    uint16_t source_index;
    bool opens; /* the first event of its transaction */
};

/* How a change is told to people: alter: "ALTER TABLE ...". */
static void print_change(const struct mr_note *note, char *text, size_t size)
{
    const int shown =
        note->text.length > STATEMENT_SHOWN_BYTES ? STATEMENT_SHOWN_BYTES : (int)note->text.length;
    (void)snprintf(text, size, shown > 0 ? "%.*s: %.*s" : "%.*s%.*s", (int)note->name.length,
                   (const char *)note->name.bytes, shown, (const char *)note->text.bytes);
}

/* Asks the table's policy; false when it forbids the change, with *err set. */
static bool ask_policy(const struct change *change, const struct mr_target *target,
                       struct mr_error *err)
{
    char text[STATEMENT_SHOWN_BYTES + 64];
    print_change(change->note, text, sizeof(text));
    switch (mr_target_policy(change->apply->targets, target)) {
    case MR_ON_SCHEMA_CHANGE_EVOLVE:
    case MR_ON_SCHEMA_CHANGE_LENIENT:
        return true;
    case MR_ON_SCHEMA_CHANGE_STOP:
        return mr_fail(err, MR_E_SINK, MR_STOP,
                       "table \"%s\" was changed (%s), and its on_schema_change is stop; set it to "
                       "evolve or lenient and start again",
                       target->label, text);
    case MR_ON_SCHEMA_CHANGE_QUARANTINE:
        return mr_fail(err, MR_E_TYPE, MR_QUARANTINE,
                       "table \"%s\" was changed (%s), and its on_schema_change is quarantine; "
                       "copy the table anew",
                       target->label, text);
    }
    return true;
}

/* The copy of the table was made after the change. */
static bool overlaps(const struct change *change, const struct mr_target *target)
{
    return target->has_mark && (change->end.major != 0 || change->end.minor != 0) &&
           mr_native_position_compare(change->end, target->high) <= 0;
}

/* Rows deleted before an ALTER of their table are better committed before it, where they may. */
static bool settle(const struct change *change, const struct mr_target *target,
                   struct mr_error *err)
{
    struct mr_apply *apply = change->apply;
    if (!target->has_deleted || !change->opens || apply->settle == NULL) {
        return true;
    }
    return apply->settle(apply->settle_context, err);
}

static bool alter(const struct change *change, struct mr_target *target, struct mr_error *err)
{
    const struct mr_note *note = change->note;
    if (overlaps(change, target)) {
        return true;
    }
    return ask_policy(change, target, err) && settle(change, target, err) &&
           mr_target_evolve(change->apply->targets, target, mr_target_schema(target, note->after),
                            note->renamed, err);
}

static bool drop(const struct change *change, struct mr_target *target, struct mr_error *err)
{
    struct mr_targets *targets = change->apply->targets;
    if (overlaps(change, target)) {
        return true;
    }
    if (!ask_policy(change, target, err)) {
        return false;
    }
    return mr_target_policy(targets, target) == MR_ON_SCHEMA_CHANGE_LENIENT ||
           mr_evolve_drop(targets, target, err);
}

static bool rename_table(const struct change *change, struct mr_target *from, struct mr_target *to,
                         struct mr_error *err)
{
    struct mr_targets *targets = change->apply->targets;
    bool is_there = false;
    bool is_taken = false;
    if (overlaps(change, from)) {
        return true;
    }
    if (!ask_policy(change, from, err) || !mr_target_look(targets, from, &is_there, err) ||
        !mr_target_look(targets, to, &is_taken, err)) {
        return false;
    }
    if (overlaps(change, to)) {
        return !is_there || mr_evolve_drop(targets, from, err);
    }
    /* The server had no table of that name at the time: what is here was left by a lenient drop. */
    if (is_there && is_taken && !mr_evolve_drop(targets, to, err)) {
        return false;
    }
    return (!is_there || mr_evolve_rename(targets, from, to, err)) &&
           mr_target_evolve(targets, to, change->note->after, change->note->renamed, err);
}

static bool take_change(const struct change *change, struct mr_error *err)
{
    struct mr_apply *apply = change->apply;
    const struct mr_note *note = change->note;
    struct mr_target *before = NULL;
    struct mr_target *after = NULL;
    if (note->before != NULL) {
        before = mr_apply_note_target(apply, change->batch, note->before, err);
    }
    if (note->after != NULL) {
        after = mr_apply_note_target(apply, change->batch, note->after, err);
    }
    if ((note->before != NULL && before == NULL) || (note->after != NULL && after == NULL)) {
        return false;
    }
    if ((after == NULL && before == NULL) || before == &apply->nobody || after == &apply->nobody) {
        return true;
    }
    /* A copy beside follows the shape of its table; where the table goes is not its business. */
    const bool is_beside = (after != NULL ? after : before)->beside != NULL;
    if (is_beside && before != after) {
        return true;
    }
    if (!mr_apply_flush(apply, err) || !mr_apply_finish(apply, err)) {
        return false;
    }
    bool done;
    if (after == NULL) {
        done = drop(change, before, err);
    } else if (before == NULL) {
        done = overlaps(change, after) ||
               mr_target_evolve(apply->targets, after, note->after, note->renamed, err);
    } else if (before != after) {
        done = rename_table(change, before, after, err);
    } else {
        done = alter(change, after, err);
    }
    return done ||
           mr_apply_set_aside(apply, before != NULL ? before : after, change->sequence, err);
}

bool mr_apply_note(struct mr_apply *apply, const struct mr_batch *batch,
                   const struct mr_event *event, const struct mr_apply_place *place,
                   struct mr_error *err)
{
    MR_ASSERT(event->kind == MR_EVENT_NOTE && event->chunk < batch->note_count);
    const struct mr_note *note = &batch->notes[event->chunk];
    const struct change change = {
        .apply = apply,
        .batch = batch,
        .note = note,
        .sequence = place->sequence,
        .end = place->end,
        .source_index = batch->source_index,
        .opens = place->opens,
    };
    if (note->kind == MR_NOTE_SCHEMA_CHANGE) {
        return take_change(&change, err);
    }
    if (note->kind != MR_NOTE_QUARANTINE || note->before == NULL) {
        return true;
    }
    const struct mr_target *target = mr_apply_note_target(apply, batch, note->before, err);
    if (target == NULL || target == &apply->nobody || overlaps(&change, target)) {
        return target != NULL;
    }
    (void)mr_fail(err, MR_E_TYPE, MR_QUARANTINE, "%.*s", (int)note->text.length,
                  (const char *)note->text.bytes);
    return mr_apply_set_aside(apply, target, place->sequence, err);
}
