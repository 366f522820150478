/**
 * Times Segment's published engine on batches read from standard input, with the network taken out: the request is built
 * in full, and the response is fixed.
 *
 * node engine.cjs GENERATION_DIRECTORY < {"settings", "subscriptions", "events", "rounds"}
 *   →   one line of JSON: milliseconds of CPU time a round, and the length of a request
 */
'use strict'

const fs = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { loadGeneration } = require('../conformance/node/published.cjs')

const ANSWER = '{"data":{"upsertProfiles":{"userErrors":[]}}}'

function takeOutTheNetwork(generation) {
  const requireCore = createRequire(generation.requireBeside.resolve('@segment/actions-core'))
  const core = path.dirname(generation.requireBeside.resolve('@segment/actions-core'))
  const fetching = requireCore(path.join(core, 'fetch.js'))
  const sent = { length: 0 }
  fetching.default = async (request) => {
    sent.length = (await request.text()).length
    return new fetching.Response(ANSWER, { status: 200, headers: { 'content-type': 'application/json' } })
  }
  return sent
}

async function main() {
  const generation = loadGeneration(process.argv[2])
  const job = JSON.parse(fs.readFileSync(0, 'utf8'))
  const sent = takeOutTheNetwork(generation)
  const destination = new generation.core.Destination(generation.definition)
  const configured = { ...job.settings, subscriptions: job.subscriptions }
  const rounds = []
  for (let round = 0; round < job.rounds; round++) {
    // The engine may change what it is given; every round gets its own copy, made outside the measured time.
    const events = structuredClone(job.events)
    const started = process.cpuUsage()
    await destination.onBatch(events, configured)
    const used = process.cpuUsage(started)
    rounds.push((used.user + used.system) / 1e3)
  }
  console.log(JSON.stringify({ rounds, length: sent.length }))
}

main()
