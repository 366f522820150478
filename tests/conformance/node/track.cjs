/**
 * Sends identify calls with Segment's published Node SDK: `node track.cjs DIRECTORY < call.json`.
 *
 * DIRECTORY holds the installed `@segment/analytics-node`. The call is `{"host", "writeKey", "identifies": […]}`.
 * Prints `{"errors": [text, …]}` when everything is flushed.
 */
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')

async function main() {
  const [directory] = process.argv.slice(2)
  if (!directory) throw new Error('usage: node track.cjs DIRECTORY < call.json')
  const { Analytics } = createRequire(path.join(path.resolve(directory), 'package.json'))('@segment/analytics-node')
  const { host, writeKey, identifies } = JSON.parse(fs.readFileSync(0, 'utf8'))
  const analytics = new Analytics({ host, writeKey, maxRetries: 0 })
  const errors = []
  analytics.on('error', (error) => errors.push(String(error.reason ?? error.code)))
  for (const identify of identifies) analytics.identify(identify)
  await analytics.closeAndFlush()
  process.stdout.write(`${JSON.stringify({ errors })}\n`)
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
