/**
 * Segment's published StackAdapt destination, loaded from one installed generation and pointed at an address of ours.
 *
 * Use one process per generation: the compiled field schemas are cached by destination name, so a second generation in
 * the same process would be validated with the first one's settings.
 */
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')

/** The address that every published generation posts to. */
const ENDPOINT = 'https://api.stackadapt.com/graphql'
const DESTINATION = '@segment/action-destinations/dist/destinations/stackadapt-audiences'

/** The packages of the generation installed in `directory`. Throws when they are not installed. */
function loadGeneration(directory) {
  const requireHere = createRequire(path.join(path.resolve(directory), 'package.json'))
  const entry = requireHere.resolve(DESTINATION)
  const requireBeside = createRequire(entry)
  const core = requireBeside('@segment/actions-core')
  const subscriptions = createRequire(requireBeside.resolve('@segment/actions-core'))(
    '@segment/destination-subscriptions'
  )
  return { definition: requireBeside(entry).default, folder: path.dirname(entry), requireBeside, core, subscriptions }
}

/** Replaces the endpoint constant in every module of the destination that exports it; says how many did. */
function redirect(generation, url) {
  const modules = fs
    .readdirSync(generation.folder, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => generation.requireBeside(path.join(generation.folder, name)))
    .filter((exported) => exported.GQL_ENDPOINT === ENDPOINT)
  for (const exported of modules) exported.GQL_ENDPOINT = url
  if (modules.length === 0) throw new Error(`no module under ${generation.folder} exports GQL_ENDPOINT = ${ENDPOINT}`)
  return modules.length
}

/**
 * The message of an error, without the stack traces that a list of mapping errors carries in it: each of its errors
 * becomes a line `Name: message`.
 */
function messageOf(error) {
  if (error.name !== 'AggregateError') return error.message
  return [...error].map((one) => `${one.name}: ${one.message}`).join('\n')
}

/** An error as the recorded cases keep it. The status of a failed exchange is the response's. */
function describeError(error) {
  return {
    name: error.name,
    message: messageOf(error),
    code: error.code ?? null,
    status: error.status ?? error.response?.status ?? null
  }
}

/** Counts the subscriptions that are done, and lets a caller wait for a number of them. */
class Completions {
  constructor() {
    this.done = 0
    this.onComplete = () => {
      this.done += 1
      this.waiting?.()
    }
  }

  async reach(count) {
    while (this.done < count) await new Promise((resolve) => (this.waiting = resolve))
  }
}

/** How each mode calls the destination. `dynamic` asks for the choices of the case's `action` and `field`. */
const MODES = {
  event: (destination, { events }, settings, options) => destination.onEvent(events[0], settings, options),
  batch: (destination, { events }, settings, options) => destination.onBatch(events, settings, options),
  delete: (destination, { events }, settings) => destination.onDelete(events[0], settings),
  auth: (destination, _call, settings) => destination.testAuthentication(settings),
  dynamic: (destination, { action, field }, settings) =>
    destination.executeDynamicField(action, field, { settings, payload: {} })
}

/**
 * Runs one call of the destination: `mode`, `settings`, `subscriptions`, and `events`, which is always a list.
 *
 * All subscriptions run at once and the first failure rejects the call while the others go on. A rejection is passed on
 * only when they are done too, so that what they send is not taken for the work of the next call. A call that is refused
 * for its settings starts none.
 */
async function run(generation, call) {
  const destination = new generation.core.Destination(generation.definition)
  const configured = { ...call.settings, subscriptions: call.subscriptions }
  const completions = new Completions()
  try {
    return await MODES[call.mode](destination, call, configured, completions)
  } catch (error) {
    if (completions.done > 0) await completions.reach(call.subscriptions.length)
    throw error
  }
}

module.exports = { ENDPOINT, loadGeneration, redirect, describeError, messageOf, run, MODES }
