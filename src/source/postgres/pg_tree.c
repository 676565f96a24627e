// SPDX-License-Identifier: MIT
/*
 * pg_tree.c - see pg_tree.h. This half knows the types; pg_tree_print.c prints values.
 *
 * Nodes are never changed or freed before mr_pg_types_done(): a plan points to the one that was
 * newest when it was made. A type that is described just as before gets no second node, so there
 * are no more of them than there were changes.
 */
#include "pg_tree.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define OID_MONEY           790
#define MONEY_SCALE_DEFAULT 2

/* Types made of built-in ones: src/include/catalog/pg_type.dat, pg_range.dat. */
static const struct made_of {
    uint32_t oid;
    uint32_t array_oid;
    uint32_t element_oid;
    enum mr_pg_shape shape;
} made[] = {
    {22, 1006, 21, MR_PG_SHAPE_VECTOR},         {30, 1013, 26, MR_PG_SHAPE_VECTOR},
    {3904, 3905, 23, MR_PG_SHAPE_RANGE},        {3906, 3907, 1700, MR_PG_SHAPE_RANGE},
    {3908, 3909, 1114, MR_PG_SHAPE_RANGE},      {3910, 3911, 1184, MR_PG_SHAPE_RANGE},
    {3912, 3913, 1082, MR_PG_SHAPE_RANGE},      {3926, 3927, 20, MR_PG_SHAPE_RANGE},
    {4451, 6150, 3904, MR_PG_SHAPE_MULTIRANGE}, {4532, 6151, 3906, MR_PG_SHAPE_MULTIRANGE},
    {4533, 6152, 3908, MR_PG_SHAPE_MULTIRANGE}, {4534, 6153, 3910, MR_PG_SHAPE_MULTIRANGE},
    {4535, 6155, 3912, MR_PG_SHAPE_MULTIRANGE}, {4536, 6157, 3926, MR_PG_SHAPE_MULTIRANGE},
};

static void free_node(struct mr_pg_type *node)
{
    for (uint32_t i = 0; !node->is_alias && i < node->field_count; i++) {
        free(node->field_names[i]);
    }
    if (!node->is_alias) {
        free(node->field_names);
        free(node->field_oids);
        free(node->fields);
    }
    free(node);
}

void mr_pg_types_done(struct mr_pg_types *types)
{
    for (uint32_t i = 0; i < types->count; i++) {
        free_node(types->nodes[i]);
    }
    free(types->nodes);
    *types = (struct mr_pg_types){0};
}

static uint8_t money_scale(const struct mr_pg_types *types)
{
    return types->has_money_scale ? types->money_scale : MONEY_SCALE_DEFAULT;
}

static const struct mr_pg_type *newest(const struct mr_pg_types *types, uint32_t oid)
{
    for (uint32_t i = types->count; i > 0; i--) {
        if (types->nodes[i - 1]->oid == oid) {
            return types->nodes[i - 1];
        }
    }
    return NULL;
}

static struct mr_pg_type *new_node(struct mr_pg_types *types, uint32_t oid)
{
    MR_ASSERT(types->count <= types->capacity);
    if (types->count == types->capacity) {
        types->capacity = types->capacity == 0 ? 32 : types->capacity * 2;
        types->nodes = mr_memory_resize(types->nodes, types->capacity, sizeof(struct mr_pg_type *));
    }
    struct mr_pg_type *node = mr_memory_new(1, sizeof(*node));
    node->oid = oid;
    types->nodes[types->count++] = node;
    return node;
}

/* ---- What a whole is, given its parts. ---- */

static bool is_text(const struct mr_pg_type *type)
{
    return type->shape == MR_PG_SHAPE_SCALAR || type->shape == MR_PG_SHAPE_RANGE ||
           type->shape == MR_PG_SHAPE_MULTIRANGE;
}

/* The shape of a type made of `part`, which is NULL when it is not known. */
static enum mr_pg_shape shape_with(enum mr_pg_shape shape, const struct mr_pg_type *part)
{
    MR_ASSERT(shape >= MR_PG_SHAPE_ARRAY && shape <= MR_PG_SHAPE_COMPOSITE);
    if (part == NULL || part->shape == MR_PG_SHAPE_FOREIGN ||
        part->depth + 1u >= MR_PG_TREE_DEPTH_MAX) {
        return MR_PG_SHAPE_FOREIGN;
    }
    if (part->shape == MR_PG_SHAPE_TEXT_ONLY || part->shape == MR_PG_SHAPE_UNSENDABLE) {
        return MR_PG_SHAPE_UNSENDABLE;
    }
    if (shape == MR_PG_SHAPE_RANGE && !is_text(part)) {
        return MR_PG_SHAPE_FOREIGN;
    }
    if (shape == MR_PG_SHAPE_MULTIRANGE && part->shape != MR_PG_SHAPE_RANGE) {
        return MR_PG_SHAPE_FOREIGN;
    }
    return shape;
}

static void set_element(struct mr_pg_type *node, enum mr_pg_shape shape, uint32_t element_oid,
                        const struct mr_pg_type *element)
{
    node->shape = (uint8_t)shape_with(shape, element);
    node->element_oid = element_oid;
    node->element = element;
    node->depth = element == NULL ? 0 : (uint8_t)(element->depth + 1);
}

/* ---- Built in. ---- */

static const struct mr_pg_type *add_scalar(struct mr_pg_types *types,
                                           const struct mr_pg_scalar *scalar)
{
    struct mr_pg_type *node = new_node(types, scalar->oid);
    node->shape = MR_PG_SHAPE_SCALAR;
    node->print = scalar->print;
    node->json = (uint8_t)scalar->json;
    node->scale = scalar->oid == OID_MONEY ? money_scale(types) : 0;
    return node;
}

static const struct mr_pg_type *add_made(struct mr_pg_types *types, uint32_t oid,
                                         enum mr_pg_shape shape, uint32_t element_oid)
{
    const struct mr_pg_type *element = mr_pg_types_find(types, element_oid);
    struct mr_pg_type *node = new_node(types, oid);
    set_element(node, shape, element_oid, element);
    return node;
}

/* Recursion ends at scalars: array of multirange, multirange, range, scalar. */
static const struct mr_pg_type *add_builtin(struct mr_pg_types *types, uint32_t oid)
{
    const struct mr_pg_scalar *scalar = mr_pg_scalar_find(oid);
    if (scalar != NULL) {
        return add_scalar(types, scalar);
    }
    scalar = mr_pg_scalar_of_array(oid);
    if (scalar != NULL) {
        return add_made(types, oid, MR_PG_SHAPE_ARRAY, scalar->oid);
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(made); i++) {
        if (made[i].oid == oid) {
            return add_made(types, oid, made[i].shape, made[i].element_oid);
        }
        if (made[i].array_oid == oid) {
            return add_made(types, oid, MR_PG_SHAPE_ARRAY, made[i].oid);
        }
    }
    return NULL;
}

const struct mr_pg_type *mr_pg_types_find(struct mr_pg_types *types, uint32_t oid)
{
    const struct mr_pg_type *found = newest(types, oid);
    if (found != NULL || types->count >= MR_PG_TYPES_MAX) {
        return found;
    }
    return add_builtin(types, oid);
}

bool mr_pg_types_is_builtin(uint32_t oid)
{
    bool is_known = mr_pg_scalar_find(oid) != NULL || mr_pg_scalar_of_array(oid) != NULL;
    for (size_t i = 0; !is_known && i < MR_ARRAY_LEN(made); i++) {
        is_known = made[i].oid == oid || made[i].array_oid == oid;
    }
    return is_known;
}

/* ---- From the catalogs. ---- */

static bool is_as_before(const struct mr_pg_type *node, const struct mr_pg_type *before)
{
    if (before == NULL || node->shape != before->shape || node->print != before->print ||
        node->json != before->json || node->scale != before->scale ||
        node->element != before->element || node->field_count != before->field_count) {
        return false;
    }
    for (uint32_t i = 0; i < node->field_count; i++) {
        if (node->fields[i] != before->fields[i] ||
            strcmp(node->field_names[i], before->field_names[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void set_fields(struct mr_pg_types *types, struct mr_pg_type *node,
                       const struct mr_pg_type_draft *draft)
{
    const uint32_t count = draft->field_count;
    char **names = mr_memory_new(count == 0 ? 1 : count, sizeof(*names));
    uint32_t *oids = mr_memory_new(count == 0 ? 1 : count, sizeof(*oids));
    const struct mr_pg_type **fields =
        mr_memory_new(count == 0 ? 1 : count, sizeof(struct mr_pg_type *));
    node->shape = MR_PG_SHAPE_COMPOSITE;
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = mr_pg_types_find(types, draft->field_oids[i]);
        names[i] = mr_memory_copy_text(draft->field_names[i], strlen(draft->field_names[i]));
        oids[i] = draft->field_oids[i];
        const enum mr_pg_shape shape = shape_with(MR_PG_SHAPE_COMPOSITE, fields[i]);
        /* One that cannot be sent is worse than one that we cannot read. */
        if (shape == MR_PG_SHAPE_UNSENDABLE || node->shape == MR_PG_SHAPE_COMPOSITE) {
            node->shape = (uint8_t)shape;
        }
        if (fields[i] != NULL && fields[i]->depth >= node->depth) {
            node->depth = (uint8_t)(fields[i]->depth + 1);
        }
    }
    node->field_count = count;
    node->field_names = names;
    node->field_oids = oids;
    node->fields = fields;
}

void mr_pg_types_add(struct mr_pg_types *types, const struct mr_pg_type_draft *draft)
{
    MR_ASSERT(draft->oid != 0);
    if (types->count >= MR_PG_TYPES_MAX - 1) {
        return; /* whoever asks is told that it is not known */
    }
    const struct mr_pg_type *before = newest(types, draft->oid);
    const struct mr_pg_type *element =
        draft->element_oid == 0 ? NULL : mr_pg_types_find(types, draft->element_oid);
    struct mr_pg_type node = {.oid = draft->oid, .shape = draft->shape, .print = draft->print};
    if (draft->element_oid != 0) {
        set_element(&node, (enum mr_pg_shape)draft->shape, draft->element_oid, element);
    } else if (draft->shape == MR_PG_SHAPE_COMPOSITE) {
        set_fields(types, &node, draft);
    }
    struct mr_pg_type *added = new_node(types, draft->oid);
    *added = node;
    if (is_as_before(added, before)) {
        free_node(added);
        types->count--;
    }
}

void mr_pg_types_add_alias(struct mr_pg_types *types, uint32_t oid, uint32_t base_oid)
{
    MR_ASSERT(oid != base_oid);
    const struct mr_pg_type *base = mr_pg_types_find(types, base_oid);
    const struct mr_pg_type *before = newest(types, oid);
    if (types->count >= MR_PG_TYPES_MAX || base == NULL) {
        return;
    }
    if (is_as_before(base, before)) {
        return;
    }
    struct mr_pg_type *node = new_node(types, oid);
    *node = *base;
    node->oid = oid;
    node->is_alias = true;
}
