import assert from 'node:assert/strict'
import { after, before, beforeEach, mock, test } from 'node:test'

import { EmulatorError, Unmet, createEmulator } from 'stackadapt-emulator'

import { identify, mapAudiences, upsert } from './send.mjs'

const ADA = 'ada@example.com'
const VIP = { email: ADA, city: 'Paris', total_spent: 900 }

let emulator
before(async () => (emulator = await createEmulator()))
after(() => emulator.close())
beforeEach(() => emulator.reset())

/** The error of an expectation that is not met, with its lines. */
async function unmet(expectation) {
  const error = await expectation.then(() => assert.fail('it is met'), (reason) => reason)
  assert.ok(error instanceof Unmet, error)
  return error.message.split('\n')
}

test('a profile is as expected', async () => {
  await identify(emulator, 'u1', VIP)
  const expected = { audiences: ['vip_customers'], properties: { city: 'Paris' }, marketingStatus: 'OPTED_IN' }
  const profile = await emulator.expectProfile(ADA, expected)
  assert.deepEqual(profile.externalIds, ['u1'])
  await emulator.expectProfile(ADA, { audiences: ['aud_local_vip'] })
})

test('a profile that comes later, and an audience that comes after the profile, are waited for', async () => {
  const waiting = emulator.expectProfile(ADA, { audiences: ['vip_customers'] }, { timeout: 30_000 })
  await identify(emulator, 'u1', { ...VIP, total_spent: 0 })
  await emulator.call('POST', '/_emulator/audiences/{audienceKey}/enter', {
    path: { audienceKey: 'vip_customers' },
    body: { userId: 'u1', email: ADA }
  })
  await waiting
})

test('more expectations wait than the server lets wait', async () => {
  const emails = Array.from({ length: 25 }, (_, number) => `u${number}@example.com`)
  const waiting = emails.map((email) => emulator.expectProfile(email, {}, { timeout: 60_000 }))
  const query = { for: 'profile', email: ADA, timeout: '0.001s' }
  const isBusy = () => emulator.call('GET', '/_emulator/wait', { query }).then(() => false, ({ status }) => status === 503)
  while (!(await isBusy()));
  await upsert(emulator, ...emails.map((email) => ({ email })))
  await Promise.all(waiting)
})

test('an audience that the profile leaves is waited for', async () => {
  await identify(emulator, 'u1', VIP)
  await emulator.expectProfile(ADA, { audiences: ['vip_customers'] })
  const waiting = emulator.expectProfile(ADA, { notAudiences: ['vip_customers'] }, { timeout: 30_000 })
  await identify(emulator, 'u1', { total_spent: 1 })
  await waiting
})

test('a missing profile is explained, with the change that lets it through', async () => {
  await identify(emulator, 'u1', { ...VIP, first_name: 'Ada "Countess" King' })
  const lines = await unmet(emulator.expectProfile(ADA, {}, { timeout: 1 }))
  assert.equal(lines[0], `expected a visible profile for ${ADA} at advertiser 1001; none found after 0.001 s`)
  assert.ok(lines.some((line) => line.startsWith('Stopped at the request (GRAPHQL_ERRORS)')))
  assert.equal(
    lines.at(-1).trim(),
    'send the trait first_name without the characters that break the document: "Ada Countess King"'
  )
})

test('every difference of a profile is named', async () => {
  await identify(emulator, 'u1', VIP)
  await emulator.expectProfile(ADA, { audiences: ['vip_customers'] })
  const expected = {
    audiences: ['regulars'],
    notAudiences: ['vip_customers'],
    properties: { city: 'Rome', town: 'Paris' },
    marketingStatus: 'OPTED_OUT'
  }
  assert.deepEqual((await unmet(emulator.expectProfile(ADA, expected, { timeout: 0 }))).slice(0, 5), [
    `expected the profile of ${ADA} to be in audience 'regulars'; it is in vip_customers (aud_local_vip)`,
    "and not to be in audience 'vip_customers'; it is",
    "and to have city = 'Rome'; it has 'Paris'",
    "and to have town = 'Paris'; its properties are city",
    'and to have marketing status OPTED_OUT; it has OPTED_IN'
  ])
})

test('no profile is visible, or the error shows the one that is', async () => {
  await emulator.expectNoProfile(ADA)
  await identify(emulator, 'u1', VIP)
  await emulator.expectProfile(ADA)
  const lines = await unmet(emulator.expectNoProfile(ADA))
  assert.equal(lines[0], `expected no visible profile for ${ADA} at advertiser 1001; found one`)
})

test('a rejected record is found by reason, email and user', async () => {
  await upsert(emulator, { user_id: 'u1' }, { userId: 'u2', email: 'no-address' })
  assert.deepEqual((await emulator.expectRejection({ reason: 'MISSING_EMAIL' })).record, { user_id: 'u1' })
  assert.equal((await emulator.expectRejection({ email: 'No-Address' })).reason, 'INVALID_EMAIL')
  assert.equal((await emulator.expectRejection({ userId: 'u2' })).reason, 'INVALID_EMAIL')
  await emulator.expectRejection()
  const lines = await unmet(emulator.expectRejection({ reason: 'INVALID_EMAIL', userId: 'u1' }, { timeout: 0 }))
  assert.deepEqual(lines.slice(0, 2), [
    "expected a rejected record with reason 'INVALID_EMAIL' and userId 'u1'; found none among 1",
    '  rejected    INVALID_EMAIL {"userId":"u2","email":"no-address"}'
  ])
  assert.deepEqual(await unmet(emulator.expectRejection({ reason: 'SUPPRESSED' }, { timeout: 0 })), [
    "expected a rejected record with reason 'SUPPRESSED'; found none among 0"
  ])
})

test('a record that waits for a profile is found by its reason', async (t) => {
  const recordWithoutEmail = (value) =>
    emulator.call('PATCH', '/_emulator/workspace', { body: { ingestion: { recordWithoutEmail: value } } })
  t.after(() => recordWithoutEmail('reject'))
  await recordWithoutEmail('wait')
  await mapAudiences(emulator)
  await upsert(emulator, { userId: 'u1', audienceId: 'aud_local_vip', audienceName: 'vip_customers', action: 'enter' })
  assert.equal((await emulator.expectRejection({ reason: 'WAITS_FOR_PROFILE' })).outcome, 'pending')
  await unmet(emulator.expectRejection({}, { timeout: 0 }))
})

test('why says where a person stopped', async () => {
  const byEmail = await emulator.why('bob@example.com')
  assert.equal(byEmail.stopped.stage, 'call')
  await identify(emulator, 'u1', VIP)
  await emulator.expectProfile(ADA)
  assert.equal((await emulator.why({ userId: 'u1', property: 'town', search: false })).stopped.stage, 'property')
})

test('the clock is read, advanced and frozen', async () => {
  const frozen = await emulator.clock.freeze()
  assert.ok(frozen instanceof Date)
  assert.equal((await emulator.clock.advance('4h')) - frozen, 4 * 3600_000)
  assert.equal((await emulator.clock.advance({ minutes: 30 })) - frozen, 4.5 * 3600_000)
  assert.equal((await emulator.clock.now()) - frozen, 4.5 * 3600_000)
  assert.ok((await emulator.clock.resume()) >= frozen)
})

test('faults are added, listed and removed', async () => {
  const first = await emulator.faults.add({ fault: 'status', status: 503, times: 1 })
  await emulator.faults.add({ fault: 'userErrors', message: 'Try later.' })
  assert.deepEqual((await emulator.faults.list()).map((each) => each.fault), ['status', 'userErrors'])
  await emulator.faults.remove(first.id)
  assert.deepEqual((await emulator.faults.list()).map((each) => each.fault), ['userErrors'])
  assert.equal((await upsert(emulator, { email: ADA })).status, 200)
  assert.equal((await emulator.faults.list())[0].matched, 1)
  await emulator.faults.clear()
  assert.deepEqual(await emulator.faults.list(), [])
})

test('a reset deletes what was sent', async () => {
  await identify(emulator, 'u1', VIP)
  await emulator.expectProfile(ADA)
  await emulator.reset()
  await emulator.expectNoProfile(ADA)
  assert.equal((await emulator.call('GET', '/_emulator/calls')).total, 0)
})

// What is refused, and the parts of its error.
const REFUSED = {
  'a parameter of a list': [
    () => emulator.call('GET', '/_emulator/profiles', { query: { emial: ADA } }),
    { status: 400, error: 'UnknownName', where: 'emial', found: 'emial', hint: "Did you mean 'email'?" },
    "emial: unknown parameter 'emial'. Known: after, before, advertiserId, email, externalId, limit, offset. " +
      "Did you mean 'email'?"
  ],
  'a segment': [
    () => emulator.call('GET', '/_emulator/segments/{segmentId}', { path: { segmentId: '7' } }),
    { status: 404, where: 'segmentId' },
    "segmentId: unknown segment '7'. Known: none."
  ],
  'a path without its name': [
    () => emulator.call('GET', '/_emulator/segments/{segmentId}'),
    { status: null },
    '/_emulator/segments/{segmentId}: the path needs segmentId'
  ],
  'a fault': [
    () => emulator.faults.add({ fault: 'stats' }),
    { status: 400, where: 'fault', hint: "Did you mean 'status'?" }
  ],
  'a duration': [() => emulator.clock.advance('4x'), { status: 400, where: 'duration', found: '4x' }],
  'a reason': [() => emulator.expectRejection({ reason: 'MISING_EMAIL' }), { status: 400, where: 'reason' }],
  'an expectation': [
    () => emulator.expectProfile(ADA, { audience: 'vip_customers' }),
    { where: 'expectProfile', found: 'audience', allowed: 'audiences, notAudiences, properties, marketingStatus' }
  ],
  'an expectation that is no object': [
    () => emulator.expectProfile(ADA, 'vip_customers'),
    { where: 'expectProfile', found: 'vip_customers' }
  ],
  'an option of an expectation': [
    () => emulator.expectProfile(ADA, {}, { timout: 1 }),
    { where: 'expectProfile', found: 'timout', allowed: 'timeout' }
  ],
  'a timeout': [
    () => emulator.expectRejection({}, { timeout: '2s' }),
    { where: 'expectRejection', found: '2s', allowed: 'milliseconds, 0 or more' }
  ],
  'an audience that nothing names': [
    () => emulator.expectProfile(ADA, { notAudiences: ['vip_custmers'] }),
    { where: 'expectProfile: notAudiences', found: 'vip_custmers', allowed: 'vip_customers, aud_local_vip' }
  ],
  'the content of a call': [
    () => emulator.call('GET', '/_emulator/profiles', { email: ADA }),
    { where: 'call', found: 'email', allowed: 'path, query, body' }
  ]
}

for (const [name, [action, parts, message]] of Object.entries(REFUSED)) {
  test(`an error names the place, what was found and what is allowed: ${name}`, async () => {
    const error = await action().then(() => assert.fail('it is accepted'), (reason) => reason)
    assert.ok(error instanceof EmulatorError, error)
    for (const [part, value] of Object.entries(parts)) assert.deepEqual(error[part], value, part)
    if (message) assert.equal(error.message, message)
  })
}

test('timers, clocks and fetch that a test replaces do not matter', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 0 })
  t.after(() => mock.timers.reset())
  await identify(emulator, 'u1', VIP)
  t.mock.method(globalThis, 'fetch', () => assert.fail('fetch is replaced'))
  await emulator.expectProfile(ADA)
  await unmet(emulator.expectProfile('bob@example.com', {}, { timeout: 1 }))
})
