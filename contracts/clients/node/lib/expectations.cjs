'use strict'

const { inspect, isDeepStrictEqual } = require('node:util')

const { EmulatorError, Unmet, checkKeys } = require('./errors.cjs')
const { now, pause } = require('./real-time.cjs')

// Below the five seconds that Jest and Vitest give a test: its failure must be the explanation, not their timeout.
const TIMEOUT_MS = 2_000
const LONGEST_WAIT_MS = 60_000
const RETRY_MS = 1_000
const PAGE = 1000
const MOST_SHOWN = 3
const WAITS_FOR_PROFILE = 'WAITS_FOR_PROFILE'
const PROFILE_KEYS = ['audiences', 'notAudiences', 'properties', 'marketingStatus']
const REJECTION_KEYS = ['email', 'userId', 'reason']

/**
 * What a check found: the value, or why it is not as expected. `property` is the one that is missing.
 *
 * @template T
 * @typedef {{value: T} | {unmet: string, property?: string | undefined}} Outcome
 */

/** Expectations of one advertiser in a sandbox; each waits in real time until it is met. */
class Expectations {
  /**
   * @param {import('./control.cjs').Control} control
   * @param {string} advertiserId
   */
  constructor(control, advertiserId) {
    this.control = control
    this.advertiserId = advertiserId
  }

  /**
   * @param {string} email
   * @param {import('../index.js').ExpectedProfile} expected
   * @param {import('../index.js').WaitOptions} options
   * @returns {Promise<import('../index.js').Profile>}
   */
  async profile(email, expected, options) {
    checkKeys(expected, PROFILE_KEYS, 'expectProfile')
    const { timeout, waited } = timeoutOf(options, 'expectProfile')
    for (const audience of expected.notAudiences ?? []) await this.#checkKnown(audience)
    const wanted = `expected a visible profile for ${email} at advertiser ${this.advertiserId}`
    /** @returns {Promise<Outcome<import('../index.js').Profile>>} */
    const check = async () => {
      const [profile] = await this.#profiles(email)
      if (!profile) return { unmet: `${wanted}; none found${waited}` }
      const [first, ...more] = [...differences(profile, expected)]
      if (!first) return { value: profile }
      const texts = [first, ...more].map(({ text }) => text)
      const property = [first, ...more].find((each) => each.missing)?.missing
      const found = `expected the profile of ${profile.email} ${texts.join('\nand ')}`
      return { unmet: `${found}${waited && `,${waited}`}`, property }
    }
    const outcome = await this.#until(timeout, check)
    if ('value' in outcome) return outcome.value
    throw await this.#unmet(outcome.unmet, { email, property: outcome.property })
  }

  /** @param {string} email */
  async noProfile(email) {
    const [profile] = await this.#profiles(email)
    if (!profile) return
    const wanted = `expected no visible profile for ${email} at advertiser ${this.advertiserId}`
    throw await this.#unmet(`${wanted}; found one`, { email })
  }

  /**
   * @param {import('../index.js').ExpectedRejection} expected
   * @param {import('../index.js').WaitOptions} options
   * @returns {Promise<import('../index.js').Rejection>}
   */
  async rejection(expected, options) {
    checkKeys(expected, REJECTION_KEYS, 'expectRejection')
    const { timeout, waited } = timeoutOf(options, 'expectRejection')
    const { email, userId, reason } = expected
    const asked = Object.entries(expected).map(([name, value]) => `${name} ${inspect(value)}`)
    const wanted = `expected a rejected record${asked.length ? ` with ${asked.join(' and ')}` : ''}`
    const query = { advertiserId: this.advertiserId, reason, pending: reason === WAITS_FOR_PROFILE || undefined }
    const outcome = await this.#until(timeout, async () => {
      const rejections = await this.#pages('/_emulator/rejections', 'rejections', query)
      const found = rejections.find((each) => isOf(each.record, email, userId))
      if (found) return { value: found }
      const near = rejections.slice(0, MOST_SHOWN)
      const lines = near.map((each) => `  rejected    ${each.reason} ${JSON.stringify(each.record)}`)
      return { unmet: [`${wanted}; found none among ${rejections.length}${waited}`, ...lines].join('\n') }
    })
    if ('value' in outcome) return outcome.value
    throw await this.#unmet(outcome.unmet, { email, userId })
  }

  /**
   * Checks until the outcome has a value or the time is over, whenever something happened in the sandbox.
   *
   * @template T
   * @param {number} timeout
   * @param {() => Promise<Outcome<T>>} check
   */
  async #until(timeout, check) {
    const end = now() + timeout
    let after
    for (;;) {
      const outcome = await check()
      const left = end - now()
      if ('value' in outcome || left <= 0) return outcome
      after = await this.#news(after, left)
    }
  }

  /**
   * Waits until something happened after a cursor, at most `milliseconds`. Returns the next cursor.
   *
   * @param {string | undefined} after
   * @param {number} milliseconds
   * @returns {Promise<string | undefined>}
   */
  async #news(after, milliseconds) {
    const wait = `${(Math.min(milliseconds, LONGEST_WAIT_MS) / 1000).toFixed(3)}s`
    try {
      return (await this.control.call('GET', '/_emulator/events', { query: { after, wait, limit: PAGE } })).next
    } catch (error) {
      // Too many requests wait at the server.
      if (!(error instanceof EmulatorError) || error.status !== 503) throw error
      await pause(Math.min(milliseconds, RETRY_MS))
      return after
    }
  }

  /** @param {string} email @returns {Promise<import('../index.js').Profile[]>} */
  async #profiles(email) {
    const query = { advertiserId: this.advertiserId, email }
    return (await this.control.call('GET', '/_emulator/profiles', { query })).profiles
  }

  /**
   * Every item of a list that comes in pages.
   *
   * @param {string} path
   * @param {string} key
   * @param {object} query
   * @returns {Promise<any[]>}
   */
  async #pages(path, key, query = {}) {
    const items = /** @type {any[]} */ ([])
    for (;;) {
      const asked = { ...query, limit: PAGE, offset: items.length }
      const page = /** @type {any[]} */ ((await this.control.call('GET', path, { query: asked }))[key])
      items.push(...page)
      if (page.length < PAGE) return items
    }
  }

  /**
   * Throws EmulatorError for an audience that neither the workspace nor any record names: not to be in it always holds.
   *
   * @param {string} audience
   */
  async #checkKnown(audience) {
    const { audiences } = await this.control.call('GET', '/_emulator/audiences')
    const { journeys } = await this.control.call('GET', '/_emulator/journeys')
    const steps = journeys.flatMap((/** @type {any} */ journey) => journey.steps)
    const known = [...audiences, ...steps].flatMap((/** @type {any} */ each) => [each.key, each.id]).filter(Boolean)
    if (known.includes(audience)) return
    const records = await this.#pages('/_emulator/records', 'records')
    if (records.some(({ record }) => Object.values(record).includes(audience))) return
    throw new EmulatorError(`unknown audience ${inspect(audience)}`, {
      where: 'expectProfile: notAudiences',
      found: audience,
      allowed: known.join(', ')
    })
  }

  /**
   * The error to throw, with the way of the person through both services.
   *
   * @param {string} message
   * @param {{email?: string | undefined, userId?: string | undefined, property?: string | undefined}} question
   */
  async #unmet(message, question) {
    if (question.email === undefined && question.userId === undefined) return new Unmet(message)
    const answer = await this.control.call('GET', '/_emulator/why', { query: question })
    return new Unmet(`${message}\n${answer.text}`)
  }
}

/**
 * How a profile differs from what is expected, in words.
 *
 * @param {import('../index.js').Profile} profile
 * @param {import('../index.js').ExpectedProfile} expected
 * @returns {Generator<{text: string, missing?: string}>}
 */
function* differences(profile, { audiences = [], notAudiences = [], properties = {}, marketingStatus }) {
  const names = profile.audiences.map(({ id, name }) => `${name} (${id})`).join(', ') || 'no audience'
  const own = profile.audiences.flatMap(({ id, name }) => [id, name])
  for (const audience of audiences) {
    if (!own.includes(audience)) yield { text: `to be in audience ${inspect(audience)}; it is in ${names}` }
  }
  for (const audience of notAudiences) {
    if (own.includes(audience)) yield { text: `not to be in audience ${inspect(audience)}; it is` }
  }
  const has = /** @type {Record<string, unknown>} */ (profile.properties)
  for (const [name, value] of Object.entries(properties)) {
    const wanted = `to have ${name} = ${inspect(value)}`
    if (!(name in has)) {
      yield { text: `${wanted}; its properties are ${Object.keys(has).sort().join(', ') || 'none'}`, missing: name }
    } else if (!isDeepStrictEqual(has[name], value)) {
      yield { text: `${wanted}; it has ${inspect(has[name])}` }
    }
  }
  if (marketingStatus !== undefined && profile.marketingStatus !== marketingStatus) {
    yield { text: `to have marketing status ${marketingStatus}; it has ${profile.marketingStatus}` }
  }
}

/**
 * Whether a record, as it was sent, has these values: the mapping decides under which keys they are.
 *
 * @param {Record<string, unknown>} record
 * @param {string | undefined} email
 * @param {string | undefined} userId
 */
function isOf(record, email, userId) {
  const same = (/** @type {unknown} */ value) => String(value).trim().toLowerCase() === email?.trim().toLowerCase()
  const isUser = (/** @type {string} */ key) => key.replaceAll('_', '').toLowerCase() === 'userid'
  return (
    (email === undefined || Object.values(record).some(same)) &&
    (userId === undefined || Object.entries(record).some(([key, value]) => isUser(key) && String(value) === userId))
  )
}

/**
 * @param {import('../index.js').WaitOptions} options
 * @param {string} where
 */
function timeoutOf(options, where) {
  checkKeys(options, ['timeout'], where)
  const { timeout = TIMEOUT_MS } = options
  if (!Number.isFinite(timeout) || timeout < 0) {
    throw new EmulatorError('invalid timeout', { where, found: timeout, allowed: 'milliseconds, 0 or more' })
  }
  return { timeout, waited: timeout ? ` after ${timeout / 1000} s` : '' }
}

module.exports = { Expectations }
