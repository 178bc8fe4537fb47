import { isSessionRecord } from '../src/record.js'
import { frozenRecord } from '../src/stores/memory/frozen-record.js'
import { makeRecord } from '../src/testing/records.js'

describe('the fields of a record that say how a login was made', () => {
  it.each([
    {},
    { lifetime: {} },
    { lifetime: { idle: 1, absolute: 2, persistent: false } },
    { lifetime: { idle: 1, later: 'a field of a newer version' } },
    { methods: [] },
    { methods: [{ method: 'password', at: 1 }] },
    { authVersion: '7' },
    { actor: { sessionId: 'a', userId: 'sue', userIdType: 'number' as const } },
    { acting: 'b' },
    { via: 'bearer' as const },
  ])('may be there or not: %j', (fields) => {
    const record = makeRecord(fields)
    expect(isSessionRecord(JSON.parse(JSON.stringify(record)))).toBe(true)
    expect(JSON.parse(JSON.stringify(frozenRecord(record)))).toEqual(JSON.parse(JSON.stringify(record)))
  })

  it.each([
    { lifetime: null },
    { lifetime: '1h' },
    { lifetime: { idle: '1h' } },
    { lifetime: { absolute: '1h' } },
    { lifetime: { persistent: 1 } },
    { methods: 'password' },
    { methods: ['password'] },
    { methods: [{ method: 7, at: 1 }] },
    { methods: [{ method: 'password' }] },
    { authVersion: 7 },
    { acting: true },
    { via: true },
    { actor: 'sue' },
    { actor: { userId: 'sue' } },
    { actor: { sessionId: 'a', userId: 7 } },
  ])('are damaged where they are something else: %j', (fields) => {
    expect(isSessionRecord({ ...makeRecord(), ...fields })).toBe(false)
  })

  it('are copies in memory, which nobody can change', () => {
    const given = makeRecord({ lifetime: { idle: 1 }, methods: [{ method: 'password', at: 1 }] })
    const kept = frozenRecord(given)
    expect(kept.lifetime).not.toBe(given.lifetime)
    expect([kept.lifetime, kept.methods, kept.methods![0]].every(Object.isFrozen)).toBe(true)
    const touched = frozenRecord({ ...kept, version: 2 }, kept)
    expect([touched.lifetime === kept.lifetime, touched.methods === kept.methods]).toEqual([true, true])
  })
})
