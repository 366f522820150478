'use strict'

const { readFile } = require('node:fs/promises')

const { address } = require('./address.cjs')
const { Control } = require('./control.cjs')
const { EmulatorError, Unmet, checkKeys } = require('./errors.cjs')
const { Expectations } = require('./expectations.cjs')
const { launch } = require('./launch.cjs')

const DEFAULT_SANDBOX = 'default'
const OPTIONS = ['workspace', 'latency', 'apiVersion', 'command', 'url', 'controlToken', 'allowRemote']

/** An emulator of this test: a server that it started, or a sandbox of one that is running. */
class Emulator {
  #control
  #expectations
  #end
  /** @type {Promise<void> | undefined} */
  #closing

  /**
   * @param {Control} control
   * @param {import('../index.js').Sandbox} sandbox
   * @param {() => Promise<void>} end
   */
  constructor(control, sandbox, end) {
    this.#control = control
    this.#end = end
    this.url = control.url
    this.graphqlUrl = `${control.url}/graphql`
    this.segmentHost = control.url
    this.sandbox = sandbox.name
    this.token = sandbox.token ?? ''
    this.writeKey = sandbox.writeKey ?? ''
    this.advertiserId = Object.keys(sandbox.advertisers)[0] ?? ''
    this.clock = clockOf(control)
    this.faults = faultsOf(control)
    this.#expectations = new Expectations(control, this.advertiserId)
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [content]
   */
  async call(method, path, content = {}) {
    checkKeys(content, ['path', 'query', 'body'], 'call')
    return this.#control.call(method, path, content)
  }

  /**
   * @param {string} email
   * @param {import('../index.js').ExpectedProfile} [expected]
   * @param {import('../index.js').WaitOptions} [options]
   */
  async expectProfile(email, expected = {}, options = {}) {
    return this.#expectations.profile(email, expected, options)
  }

  /** @param {string} email */
  async expectNoProfile(email) {
    return this.#expectations.noProfile(email)
  }

  /**
   * @param {import('../index.js').ExpectedRejection} [expected]
   * @param {import('../index.js').WaitOptions} [options]
   */
  async expectRejection(expected = {}, options = {}) {
    return this.#expectations.rejection(expected, options)
  }

  /** @param {string | import('../index.js').Question} about */
  async why(about) {
    return this.#control.call('GET', '/_emulator/why', { query: typeof about === 'string' ? { email: about } : about })
  }

  async reset() {
    await this.#control.call('POST', '/_emulator/reset')
  }

  close() {
    this.#closing ??= this.#end().finally(() => this.#control.close())
    return this.#closing
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }
}

/**
 * @param {import('../index.js').EmulatorOptions} [options]
 * @returns {Promise<import('../index.js').Emulator>}
 */
async function createEmulator(options = {}) {
  checkKeys(options, OPTIONS, 'createEmulator')
  const url = options.url ?? process.env.STACKADAPT_EMULATOR_URL
  return url ? sandboxAt(address(url, options.allowRemote ?? false), options) : ownServer(options)
}

/** @param {import('../index.js').EmulatorOptions} options */
async function ownServer(options) {
  const server = await launch(options)
  const control = new Control(server)
  control.select(DEFAULT_SANDBOX)
  try {
    const sandbox = await control.call('GET', '/_emulator/sandboxes/{name}', { path: { name: DEFAULT_SANDBOX } })
    return new Emulator(control, sandbox, server.stop)
  } catch (error) {
    await server.stop()
    throw error
  }
}

/**
 * A new sandbox of a running emulator, so that files of tests that run at the same time do not see each other's data.
 *
 * @param {string} url
 * @param {import('../index.js').EmulatorOptions} options
 */
async function sandboxAt(url, { workspace: given, latency, apiVersion, ...options }) {
  const controlToken = options.controlToken ?? process.env.STACKADAPT_EMULATOR_CONTROL_TOKEN
  const control = new Control({ url, controlToken })
  const health = await control.call('GET', '/_emulator/health')
  if (health?.status !== 'ok') throw new EmulatorError('not an emulator', { where: url })
  const workspace = typeof given === 'string' ? await contentOf(given) : given
  const sandbox = await control.call('POST', '/_emulator/sandboxes', { body: { workspace } })
  control.select(sandbox.name)
  const remove = () => control.call('DELETE', '/_emulator/sandboxes/{name}', { path: { name: sandbox.name } })
  try {
    const changes = { ...(latency && { ingestion: { latency } }), ...(apiVersion && { apiVersion }) }
    if (Object.keys(changes).length) await control.call('PATCH', '/_emulator/workspace', { body: changes })
  } catch (error) {
    await remove()
    throw error
  }
  return new Emulator(control, sandbox, remove)
}

/** @param {string} file */
async function contentOf(file) {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error)
    throw new EmulatorError(`the workspace cannot be read: ${code}`, { where: file })
  }
}

/** @param {Control} control */
function clockOf(control) {
  const change = async (/** @type {string} */ action, /** @type {object} */ body = {}) =>
    new Date((await control.call('POST', `/_emulator/clock/${action}`, { body })).now)
  return {
    now: async () => new Date((await control.call('GET', '/_emulator/clock')).now),
    advance: (/** @type {string | object} */ by) => change('advance', typeof by === 'string' ? { duration: by } : by),
    freeze: () => change('freeze'),
    resume: () => change('resume')
  }
}

/** @param {Control} control */
function faultsOf(control) {
  return {
    add: (/** @type {object} */ fault) => control.call('POST', '/_emulator/faults', { body: fault }),
    list: async () => (await control.call('GET', '/_emulator/faults')).faults,
    remove: (/** @type {number} */ ruleId) =>
      control.call('DELETE', '/_emulator/faults/{ruleId}', { path: { ruleId } }),
    clear: () => control.call('DELETE', '/_emulator/faults')
  }
}

module.exports = { EmulatorError, Unmet, createEmulator }
