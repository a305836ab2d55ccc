"""Training objectives written down as loops over single steps, gradient stops in plain sight.

Every function takes one step of the emulator, one of the solver, and a trajectory
``(frame, channel, *space)``; it returns the loss of one sample.
"""

import jax
import jax.numpy as jnp

cut = jax.lax.stop_gradient


def mse(a, b):
    return ((a - b) ** 2).mean()


def mae(a, b):
    return jnp.abs(a - b).mean()


def nmse(a, b):
    return mse(a, b) / (b**2).mean()


def nmae(a, b):
    return mae(a, b) / jnp.abs(b).mean()


def supervised(f, p, u, *, steps, every=None, loss=mse, weights=None):
    total, state = 0.0, u[0]
    for t in range(steps):
        state = f(state)
        total += (1 if weights is None else weights[t]) * loss(state, u[t + 1])
        if every and (t + 1) % every == 0:
            state = cut(state)
    return total


def diverted(f, p, u, *, steps, every=None, cut_div=False, loss=mse, weights=None):
    total, state = 0.0, u[0]
    for t in range(steps):
        target = cut(p(state)) if cut_div else p(state)
        state = f(state)
        total += (1 if weights is None else weights[t]) * loss(state, target)
        if every and (t + 1) % every == 0:
            state = cut(state)
    return total


def chain(f, p, u, *, steps, branch, every=None, cut_div=False, branch_weights=None):
    total, main = 0.0, u[0]
    for t in range(steps - branch + 1):
        state, target = main, cut(main) if cut_div else main
        for b in range(branch):
            state, target = f(state), p(target)
            total += (1 if branch_weights is None else branch_weights[b]) * mse(state, target)
            if every and (t + b + 1) % every == 0:
                state = cut(state)
        main = f(main)
        if every and (t + 1) % every == 0:
            main = cut(main)
    return total


def mixed(f, p, u, *, steps, post, every=None):
    total, state = 0.0, u[0]
    for t in range(steps + post):
        state = f(state) if t < steps else p(state)
        total += mse(state, u[t + 1])
        if every and t < steps and (t + 1) % every == 0:
            state = cut(state)
    return total


def residuum(f, p, u, *, steps, every=None, cut_prev=False, cut_next=False):
    total, state = 0.0, u[0]
    for t in range(steps):
        following = f(state)
        new = cut(following) if cut_next else following
        old = cut(state) if cut_prev else state
        total += ((new - p(old)) ** 2).mean()
        state = cut(following) if every and (t + 1) % every == 0 else following
    return total


def composite(f, p, u):
    return 0.5 * supervised(f, p, u, steps=3) + 2.0 * diverted(f, p, u, steps=2, every=1)
