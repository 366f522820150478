/**
 * Makes calls with Segment's published Node SDK: `node track.cjs DIRECTORY < job.json`.
 *
 * DIRECTORY holds the installed `@segment/analytics-node`. The job is
 * `{"host", "writeKey", "calls": [["identify", {"userId", "traits"}], …]}`.
 * Prints `{"errors": [text, …]}` when everything is flushed: what the SDK emitted, what was written on the
 * console, what Node warned of.
 */
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')

async function main() {
  const [directory] = process.argv.slice(2)
  if (!directory) throw new Error('usage: node track.cjs DIRECTORY < job.json')
  const { Analytics } = createRequire(path.join(path.resolve(directory), 'package.json'))('@segment/analytics-node')
  const { host, writeKey, calls } = JSON.parse(fs.readFileSync(0, 'utf8'))
  const errors = []
  for (const level of ['error', 'warn', 'log', 'info', 'debug']) console[level] = (...said) => errors.push(said.join(' '))
  process.on('warning', (warning) => errors.push(warning.message))
  const analytics = new Analytics({ host, writeKey })
  analytics.on('error', (error) => errors.push(String(error.reason ?? error.code)))
  for (const [method, argument] of calls) analytics[method](argument)
  await analytics.closeAndFlush()
  process.stdout.write(`${JSON.stringify({ errors })}\n`)
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
