// vip.test.js, for Vitest
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createEmulator } from 'stackadapt-emulator'

let emulator
beforeAll(async () => (emulator = await createEmulator({ latency: '4h' })), 60_000)
beforeEach(() => emulator.reset())
afterAll(() => emulator.close())

test('a profile becomes visible after four hours', async () => {
  await emulator.call('POST', '/_emulator/audiences/{audienceKey}/enter', {
    path: { audienceKey: 'vip_customers' },
    body: { userId: 'u1', email: 'ada@example.com' }
  })
  await emulator.expectNoProfile('ada@example.com')
  await emulator.clock.advance('4h')
  const profile = await emulator.expectProfile('ada@example.com', { audiences: ['vip_customers'] })
  expect(profile.marketingStatus).toBe('OPTED_IN')
})
