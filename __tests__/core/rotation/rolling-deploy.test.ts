import { MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { chrome } from '../../support/people.js'
import { turns } from '../../support/stores.js'
import { EVERY, GRACE, isIn, site } from '../support/site.js'

// While a new version is deployed, nodes of both versions work on the same records. That the stores keep the fields of
// both is in the contract of src/testing; here is that the core does.

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

const later = { laterField: { key: 'k', issued: [['h', 1]] }, laterAt: 7 }

/** What a node of a later version adds to a record. */
async function withLaterFields() {
  const made = await site()
  const { record } = made.started
  void made.memory.update({ ...record, ...later, version: 2 }, 1)
  return { ...made, isKept: () => expect(made.stored()).toMatchObject(later) }
}

it('fields of a later version survive a touch, a rotation, a settlement and a write of data', async () => {
  const { started, ask, rotated, settle, stored, changeData, isKept } = await withLaterFields()
  moveTheClock(MINUTE)
  expect(isIn(await ask(started.token))).toBe(true)
  expect(stored()!.version).toBe(3)
  isKept()
  const next = await rotated(started.token)
  isKept()
  await settle(next)
  expect(stored()!.nextHash).toBeUndefined()
  isKept()
  await changeData(stored()!, (data) => ({ ...data, cart: 1 }), chrome)
  expect(stored()!.data).toEqual({ cart: 1 })
  isKept()
})

it('a node on which rotation is off lets in every secret that a node on which it is on has given', async () => {
  const on = await site()
  const off = await site({ rotateEvery: false }, () => on.memory)
  const next = await on.rotated(on.started.token)
  for (const token of [on.started.token, next]) expect(isIn(await off.ask(token))).toBe(true)
  moveTheClock(GRACE)
  expect(isIn(await off.ask(next))).toBe(true)
  expect(on.stored()!.nextHash).toBeUndefined()
  moveTheClock(EVERY)
  expect((await off.ask(next)).token).toBeUndefined()
  expect((await on.ask(next)).token).toBeDefined()
})
