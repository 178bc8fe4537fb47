import { isSessionRecord } from '../../src/record.js'
import type { SessionStore } from '../../src/store.js'
import { makeRecord, storeContract, type ContractCase } from '../../src/testing/store-contract.js'
import { brokenStores } from './broken-stores.js'
import { CorrectStore } from './broken-stores/correct-store.js'
import { HearingStore } from './broken-stores/hearing.js'

const names = storeContract(() => new CorrectStore()).map(({ name }) => name)

/** The name of the one case that begins so. */
function caseCalled(beginning: string): string {
  const [name, another] = names.filter((each) => each.startsWith(beginning))
  if (name === undefined || another !== undefined) throw new Error(`not one case begins "${beginning}"`)
  return name
}

async function failuresOf(cases: readonly ContractCase[]): Promise<string[]> {
  const failures: string[] = []
  for (const { name, run } of cases) await run().catch(() => failures.push(name))
  return failures
}

const operationOf = (name: string): string => name.split(':')[0] ?? name

describe('a store that keeps every promise', () => {
  describe('opened anew for each case', () => {
    for (const { name, run } of storeContract(() => new CorrectStore())) test(name, run)
  })

  test('passes where it also tells which sessions end', async () => {
    expect(await failuresOf(storeContract(() => new HearingStore()))).toEqual([])
  })

  test('passes when it is opened once for all cases, and they run twice', async () => {
    const store = new CorrectStore()
    const cases = storeContract(async () => store)
    expect(await failuresOf([...cases, ...cases])).toEqual([])
  })

  test('passes without the methods that are optional', async () => {
    const open = (): SessionStore =>
      Object.assign(new CorrectStore(), {
        listByUser: undefined,
        pageByUser: undefined,
        getMany: undefined,
        deleteExpired: undefined,
      })
    expect(await failuresOf(storeContract(open))).toEqual([])
  })
})

describe('a store with one fault fails where that promise is named:', () => {
  // Only the cases of the broken operation are run: others may lean on it, and fail as well.
  test.each(brokenStores.map((store) => [store.fault, store] as const))('%s', async (_, { breaks, open }) => {
    const operations = new Set(breaks.map(operationOf))
    const cases = storeContract(open).filter(({ name }) => operations.has(operationOf(name)))
    expect(await failuresOf(cases)).toEqual(breaks.map(caseCalled))
  })

  test('and there is no case that none of them fails', () => {
    const broken = new Set(brokenStores.flatMap(({ breaks }) => breaks.map(caseCalled)))
    expect(names.filter((name) => !broken.has(name))).toEqual([])
  })
})

describe('promises that a store can not keep', () => {
  test('leave out the cases that need them, and no others', () => {
    const without = ['concurrency', 'anyId'] as const
    const left = storeContract(() => new CorrectStore(), { without }).map(({ name }) => name)
    expect(left.filter((name) => /at once|whatever (its|their) text/.test(name))).toEqual([])
    expect(left).toContain('update: conflict where the version is another one, and nothing is written')
    expect(storeContract(() => new CorrectStore(), { without: [] }).map(({ name }) => name)).toEqual(names)
  })

  test.each([
    [{ without: ['listByUser'] }, '"listByUser"'],
    [{ without: 'anyId' }, "an array with some of 'concurrency', 'anyId'"],
    [{ wihtout: ['anyId'] }, 'Did you mean without?'],
  ])('must be promises of the contract: %j is refused', (options, words) => {
    expect(() => storeContract(() => new CorrectStore(), options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) as unknown }),
    )
  })
})

describe('a method that a store may leave out', () => {
  const methods = ['listByUser', 'pageByUser', 'getMany', 'deleteExpired'] as const

  test.each(methods)('%s: every case that calls it says so in its name', async (method) => {
    const open = (): SessionStore =>
      Object.assign(new CorrectStore(), {
        [method]: () => {
          throw new Error('there is no such thing')
        },
      })
    const says = (name: string) => new RegExp(`\\(if the store has .*${method}`).test(name)
    // Cases of update and delete read by getMany as well, where the store has it.
    const isOurs = (name: string) => method !== 'getMany' || !/^(update|delete):/.test(name)
    const failures = (await failuresOf(storeContract(open))).filter(isOurs)
    const named = names.filter(says)
    expect(failures).toEqual(named)
    expect(named.length).toBeGreaterThan(4)
  })

  test.each(methods)('%s: its cases pass on a store without it', async (method) => {
    const open = (): SessionStore => Object.assign(new CorrectStore(), { [method]: undefined })
    expect(await failuresOf(storeContract(open))).toEqual([])
  })
})

describe('makeRecord', () => {
  test('makes valid records, each with an id, secrets and a user of its own', () => {
    const records = Array.from({ length: 100 }, () => makeRecord())
    expect(records.every(isSessionRecord)).toBe(true)
    for (const field of ['id', 'secretHash', 'seriesHash', 'userId'] as const) {
      expect(new Set(records.map((record) => record[field])).size).toBe(100)
    }
  })

  test('makes a guest where userId is undefined', () => {
    const record = makeRecord({ userId: undefined })
    expect(isSessionRecord(record)).toBe(true)
    expect(record.user).toBeUndefined()
  })

  test('takes every field that is given', () => {
    const given = makeRecord({ userId: 'ann', data: { a: 1 }, version: 7, expiresAt: 5 })
    expect(makeRecord(given)).toEqual(given)
    expect(given).toMatchObject({ userId: 'ann', user: { id: 'ann' }, version: 7, expiresAt: 5 })
  })
})
