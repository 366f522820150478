'use strict'

const http = require('node:http')
const https = require('node:https')

const { EmulatorError } = require('./errors.cjs')

const CONTROL_HEADER = 'X-Emulator-Control-Token'
const SANDBOX_HEADER = 'X-Emulator-Sandbox'
const TOKEN_HINT = 'Pass it as controlToken, or in the environment variable STACKADAPT_EMULATOR_CONTROL_TOKEN.'

/**
 * Where an emulator is. `failure` says how a server that this process started has ended, if it has.
 *
 * @typedef {{url: string, controlToken?: string | undefined, failure?: () => string | undefined}} Server
 */

/**
 * Calls the control API of one sandbox, and throws its errors as EmulatorError.
 *
 * It uses `node:http`: tests replace `fetch`, and a proxy of the environment must not get these requests.
 */
class Control {
  #ended = ''

  #failure

  /** @param {Server} server */
  constructor({ url, controlToken, failure = () => undefined }) {
    this.url = url
    this.#failure = failure
    /** @type {Record<string, string>} */
    this.headers = controlToken ? { [CONTROL_HEADER]: controlToken } : {}
  }

  /**
   * Addresses later calls to a sandbox.
   *
   * @param {string} name
   */
  select(name) {
    this.headers[SANDBOX_HEADER] = encodeURIComponent(name)
  }

  /** Refuses all further calls. */
  close() {
    this.#ended = 'the emulator is closed'
  }

  /**
   * @param {string} method
   * @param {string} path with names in braces, such as `/_emulator/segments/{segmentId}`
   * @param {{path?: object, query?: object, body?: unknown}} [content]
   * @returns {Promise<any>} the JSON of the response; text for another type; undefined when it is empty
   */
  async call(method, path, { path: names = {}, query = {}, body } = {}) {
    if (this.#ended) throw new EmulatorError(this.#ended, { where: this.url })
    const target = new URL(`${filled(path, names)}${queryOf(query)}`, this.url)
    const { status, type, text } = await this.#send(method, target, body)
    const content = type.startsWith('application/json') ? parsed(text) : text || undefined
    if (status < 400) return content
    throw refusal(status, content, target)
  }

  /**
   * @param {string} method
   * @param {URL} target
   * @param {unknown} body
   * @returns {Promise<{status: number, type: string, text: string}>}
   */
  #send(method, target, body) {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = { ...this.headers, ...(text === undefined ? {} : { 'content-type': 'application/json' }) }
    const { request } = target.protocol === 'https:' ? https : http
    return new Promise((resolve, reject) => {
      const silent = (/** @type {NodeJS.ErrnoException} */ error) => reject(this.#silence(error))
      // A connection for each request: one that is kept may be closed at the other end just when it is used again.
      const sent = request(target, { method, headers, agent: false }, (response) => {
        const chunks = /** @type {Buffer[]} */ ([])
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('error', silent)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString('utf8')
          })
        )
      })
      sent.on('error', silent)
      sent.end(text)
    })
  }

  /** @param {NodeJS.ErrnoException} error */
  #silence({ code, message }) {
    const where = this.url
    const failure = this.#failure()
    if (failure) return new EmulatorError(failure, { where })
    const hint = 'Start it with: stackadapt-emulator serve'
    return new EmulatorError(`the emulator does not respond: ${code ?? message}`, { where, hint })
  }
}

/**
 * @param {string} path
 * @param {object} names
 */
function filled(path, names) {
  const given = /** @type {Record<string, unknown>} */ (names)
  return path.replace(/\{(\w+)\}/g, (_, name) => {
    if (given[name] === undefined) throw new EmulatorError(`the path needs ${name}`, { where: path })
    return encodeURIComponent(String(given[name]))
  })
}

/** @param {object} query values that are undefined are left out */
function queryOf(query) {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value))
  return given.size ? `?${given}` : ''
}

/**
 * JSON, or the text itself: what responds may be any server.
 *
 * @param {string} text
 */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * The error in a response.
 *
 * @param {number} status
 * @param {any} body
 * @param {URL} target
 */
function refusal(status, body, target) {
  if (typeof body?.message !== 'string') {
    const where = `${target.origin}${target.pathname}`
    return new EmulatorError(`not an emulator: it responded with status ${status}`, { where, status })
  }
  const { error, message, where, found, allowed, hint } = body
  return new EmulatorError(message, { status, error, where, found, allowed, hint: status === 401 ? TOKEN_HINT : hint })
}

module.exports = { Control }
