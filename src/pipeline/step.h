// SPDX-License-Identifier: MIT
/*
 * step.h - what one step of a pipeline part did.
 *
 * Every part of the pipeline is a plain object with a step function that does one bounded piece of
 * work. In the program each has a thread that calls it in a loop; in the simulation (tests/sim) one
 * thread calls them all in a seeded order.
 */
#ifndef MR_PIPELINE_STEP_H
#define MR_PIPELINE_STEP_H

enum mr_step {
    MR_STEP_WORKED, /* call again */
    MR_STEP_IDLE,   /* nothing to do within the wait; call again */
    MR_STEP_PAUSED, /* cannot go on now (disk full, target away); call again after the wait */
    MR_STEP_FAILED, /* *err says why; its recovery is MR_STOP: do not call again */
};

#endif
