'use strict'

const { inspect } = require('node:util')

/** What was refused, or could not be done: the place, what was found, what is allowed and what to do. */
class EmulatorError extends Error {
  name = 'EmulatorError'

  /**
   * @param {string} message a clause without a closing full stop
   * @param {import('../index.js').ErrorParts} [parts]
   */
  constructor(message, parts = {}) {
    super(sentences(message, parts))
    const { status = null, error = null, where = null, found = null, allowed = null, hint = null } = parts
    /** The status of the response; null when there was none. */
    this.status = status
    /** The API's name of the error, such as `UnknownName`. */
    this.error = error
    this.where = where
    this.found = found
    this.allowed = allowed
    this.hint = hint
  }
}

/** A failed expectation: what was expected and found, then the way of the person and where it stopped. */
class Unmet extends Error {
  name = 'Unmet'
}

/**
 * The message and its parts, worded as the command line words them.
 *
 * @param {string} message
 * @param {import('../index.js').ErrorParts} parts
 */
function sentences(message, { where, found, allowed, hint }) {
  const details = []
  const shown = inspect(found ?? null)
  if (shown !== 'null' && !message.includes(shown)) details.push(`Found: ${shown}.`)
  if (allowed) details.push(`${message.startsWith('unknown ') ? 'Known' : 'Allowed'}: ${allowed.replace(/\.$/, '')}.`)
  if (hint) details.push(hint)
  const text = where ? `${where}: ${message}` : message
  const stop = /[.?]$/.test(text) ? '' : '.'
  return details.length ? [`${text}${stop}`, ...details].join(' ') : text
}

/**
 * Throws EmulatorError for a name in `given` that is not `allowed`: with a typo, an option would have no effect.
 *
 * @param {unknown} given
 * @param {readonly string[]} allowed
 * @param {string} where
 */
function checkKeys(given, allowed, where) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new EmulatorError('an object is required', { where, found: given, allowed: allowed.join(', ') })
  }
  for (const name of Object.keys(given)) {
    if (!allowed.includes(name)) {
      throw new EmulatorError(`unknown option ${inspect(name)}`, { where, found: name, allowed: allowed.join(', ') })
    }
  }
}

module.exports = { EmulatorError, Unmet, checkKeys }
