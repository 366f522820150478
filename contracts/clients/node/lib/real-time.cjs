'use strict'

// Kept when this module is loaded: test runners replace the global ones by timers that a test moves.
const { clearTimeout: clearTimer, setTimeout: setTimer } = globalThis
const nanoseconds = process.hrtime.bigint

/** Milliseconds of a clock that only goes forward. */
function now() {
  return Number(nanoseconds()) / 1e6
}

/**
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
function pause(milliseconds) {
  return new Promise((resolve) => setTimer(resolve, milliseconds))
}

module.exports = { clearTimer, now, pause, setTimer }
