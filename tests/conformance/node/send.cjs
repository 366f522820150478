/**
 * Runs the published destination against a server: `node send.cjs DIRECTORY < call.json`.
 *
 * DIRECTORY is one installed generation. The call is
 * `{"url", "mode": "event"|"batch"|"delete"|"auth", "settings", "subscriptions", "events"}`; without `subscriptions` each
 * action's default trigger is used, with each field's default mapping and whatever `mapping` adds to it.
 * Prints `{"results"}` or `{"error": {"name", "message", "code", "status"}}`.
 */
'use strict'

const fs = require('node:fs')
const { loadGeneration, redirect, describeError, run, MODES } = require('./published.cjs')

/** The mapping that Segment proposes for an action: each field's default. */
function defaultMapping(action) {
  const withDefault = Object.entries(action.fields).filter(([, field]) => field.default !== undefined)
  return Object.fromEntries(withDefault.map(([key, field]) => [key, field.default]))
}

/** One subscription for every action that has a default trigger. */
function defaultSubscriptions({ definition }, mapping) {
  return Object.entries(definition.actions)
    .filter(([, action]) => action.defaultSubscription)
    .map(([slug, action]) => ({
      partnerAction: slug,
      name: action.title,
      enabled: true,
      subscribe: action.defaultSubscription,
      mapping: { ...defaultMapping(action), ...mapping }
    }))
}

async function main() {
  const [directory] = process.argv.slice(2)
  if (!directory) throw new Error('usage: node send.cjs DIRECTORY < call.json')
  const call = JSON.parse(fs.readFileSync(0, 'utf8'))
  if (!Object.hasOwn(MODES, call.mode)) throw new Error(`mode must be one of ${Object.keys(MODES).join(', ')}`)
  const generation = loadGeneration(directory)
  redirect(generation, call.url)
  const subscriptions = call.subscriptions ?? defaultSubscriptions(generation, call.mapping)
  const outcome = await run(generation, { ...call, subscriptions }).then(
    (results) => ({ results: results ?? null }),
    (error) => ({ error: describeError(error) })
  )
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
