/**
 * The peer: what a user would write instead of the emulator. GraphQL Yoga in memory, with the same schema and validation.
 *
 * node yoga.cjs DIRECTORY SCHEMA   →   one line of JSON: the port
 *
 * `upsertProfiles` keeps profiles by email, `cdpProfiles` pages over them; every mutation succeeds. `POST /v1/batch` keeps
 * the traits of identify calls in the same map. Nothing else is checked or kept.
 */
'use strict'

const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { createRequire } = require('node:module')
const path = require('node:path')

const advertisers = new Map()

function profilesOf(advertiserId) {
  if (!advertisers.has(advertiserId)) advertisers.set(advertiserId, { byEmail: new Map(), ordered: [] })
  return advertisers.get(advertiserId)
}

function upsert(profiles, { audienceId, audienceName, action, ...properties }) {
  const email = properties.email?.toLowerCase()
  if (!email) return
  let profile = profiles.byEmail.get(email)
  if (profile === undefined) {
    profile = { email, marketingStatus: 'OPTED_IN', sources: ['SEGMENT_IO'], properties: {}, audiences: {} }
    profiles.byEmail.set(email, profile)
    profiles.ordered.push(profile)
  }
  Object.assign(profile.properties, properties)
  if (audienceId) profile.audiences[audienceId] = { name: audienceName, member: action === 'enter' }
}

const succeed = () => ({ userErrors: [] })

const Mutation = {
  upsertProfileMapping: succeed,
  upsertExternalAudienceMapping: succeed,
  upsertProfiles(_, { input }) {
    const given = typeof input.profiles === 'string' ? JSON.parse(input.profiles) : input.profiles
    const profiles = profilesOf(input.advertiserId)
    for (const each of given) upsert(profiles, each)
    return succeed()
  }
}

const Query = {
  user: () => ({ email: 'integration@example.com' }),
  cdpProfiles(_, { advertiserId, filterBy }) {
    const { byEmail, ordered } = profilesOf(advertiserId)
    const one = filterBy?.email && byEmail.get(filterBy.email.toLowerCase())
    const found = filterBy?.email ? (one ? [one] : []) : ordered
    const start = Number(filterBy?.paginationToken ?? 0)
    const end = start + (filterBy?.limit ?? 100)
    const nodes = found.slice(start, end)
    const nextToken = end < found.length ? String(end) : null
    return { size: found.length, nextToken, prevToken: null, profiles: { nodes, totalCount: nodes.length } }
  }
}

function batch(request, response) {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    const calls = JSON.parse(Buffer.concat(parts).toString('utf8')).batch
    for (const { userId, traits } of calls) upsert(profilesOf('1001'), { userId, ...traits })
    response.setHeader('content-type', 'application/json')
    response.end('{"success":true}')
  })
}

const [directory, schemaFile] = process.argv.slice(2)
const load = createRequire(path.join(path.resolve(directory), 'package.json'))
const { createSchema, createYoga } = load('graphql-yoga')
const schema = createSchema({
  typeDefs: readFileSync(schemaFile, 'utf8'),
  resolvers: { Query, Mutation },
  resolverValidationOptions: { requireResolversForResolveType: 'ignore' }
})
const yoga = createYoga({ schema, logging: false, graphiql: false, landingPage: false })
const server = createServer((request, response) => {
  if (request.url === '/health') response.end('{}')
  else if (request.url === '/v1/batch') batch(request, response)
  else yoga(request, response)
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
