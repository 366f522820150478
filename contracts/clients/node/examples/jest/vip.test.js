// vip.test.js, for Jest
const { createEmulator } = require('stackadapt-emulator')

let emulator
beforeAll(async () => (emulator = await createEmulator()), 60_000)
beforeEach(() => emulator.reset())
afterAll(() => emulator.close())

test('a batch that is refused once is sent again', async () => {
  await emulator.faults.add({ fault: 'status', status: 503, times: 1 })
  await emulator.call('POST', '/_emulator/audiences/{audienceKey}/enter', {
    path: { audienceKey: 'vip_customers' },
    body: { userId: 'u1', email: 'ada@example.com' }
  })
  await emulator.clock.advance('1h')
  await emulator.expectProfile('ada@example.com', { audiences: ['vip_customers'] })
  const unused = await emulator.call('GET', '/_emulator/faults/unused')
  expect(unused.faults).toEqual([])
})
