// vip.test.mjs
import { after, before, beforeEach, test } from 'node:test'

import { createEmulator } from 'stackadapt-emulator'

let emulator
before(async () => (emulator = await createEmulator()))
beforeEach(() => emulator.reset())
after(() => emulator.close())

test('a VIP reaches StackAdapt', async () => {
  const authorization = `Basic ${Buffer.from(`${emulator.writeKey}:`).toString('base64')}`
  await fetch(`${emulator.segmentHost}/v1/identify`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'u1', traits: { email: 'ada@example.com', city: 'Paris', total_spent: 900 } })
  })
  await emulator.expectProfile('ada@example.com', { audiences: ['vip_customers'], properties: { city: 'Paris' } })
})
