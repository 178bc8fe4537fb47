import {
  DAY,
  eventsOf,
  HOUR,
  makeCore,
  MINUTE,
  moveTheClock,
  settingsWith,
  stopTheClock,
  chrome,
} from '../../support/core.js'
import { turns } from '../../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

test('a number is a number in the events of a rotation, of a reuse and of an expiry too', async () => {
  const { engine, sessions, identify } = makeCore(settingsWith({ rotateEvery: HOUR }))
  const events = eventsOf(sessions)
  const { token } = await engine.login({ id: 7 }, chrome, [])
  let next = token
  for (let hour = 0; hour < 3; hour += 1) {
    moveTheClock(HOUR)
    next = (await identify([token])).token as typeof token
  }
  for (const used of [next, token]) {
    moveTheClock(10 * MINUTE)
    await identify([used])
  }
  const other = await engine.login({ id: 7 }, chrome, [])
  moveTheClock(8 * DAY)
  await sessions.find(other.record.id)
  const names = ['login', 'rotate', 'rotate', 'rotate', 'rotationUnused', 'reuse', 'login', 'expire']
  expect(events.map(({ name }) => name)).toEqual(names)
  for (const { event } of events) expect((event as { userId: unknown }).userId).toBe(7)
})
