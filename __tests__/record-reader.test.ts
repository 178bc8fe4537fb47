import { encodeRecord, type SessionRecord } from '../src/record.js'
import { RecordReader } from '../src/record-reader.js'
import { makeRecord, nextOf } from '../src/testing/records.js'

const texts = (count: number) => Array.from({ length: count }, () => makeRecord()).map(textOf)
const textOf = (record: SessionRecord) => ({ id: record.id, text: encodeRecord(record), record })

describe('a text that is read again', () => {
  test('is not parsed again from the second time on: the same frozen record comes back', () => {
    const reader = new RecordReader()
    const [{ id, text, record }] = texts(1) as [ReturnType<typeof textOf>]
    expect(Object.isFrozen(reader.read(id, text))).toBe(false)
    const first = reader.read(id, text)
    expect(first).toEqual(JSON.parse(JSON.stringify(record)))
    expect(reader.read(id, `${text.slice(0, 10)}${text.slice(10)}`)).toBe(first)
    expect(Object.isFrozen(first)).toBe(true)
    expect(Object.isFrozen(first.data)).toBe(true)
    expect(Object.isFrozen(first.user)).toBe(true)
  })

  test('is parsed again as soon as one character of it has changed', () => {
    const reader = new RecordReader()
    const record = makeRecord({ data: { count: 1 } })
    reader.read(record.id, encodeRecord(record))
    const next = nextOf(record, { data: { count: 2 } })
    expect(reader.read(record.id, encodeRecord(next))).toMatchObject({ version: 2, data: { count: 2 } })
    expect(reader.read(record.id, encodeRecord(record))).toMatchObject({ version: 1, data: { count: 1 } })
  })

  test('may have something before the record', () => {
    const reader = new RecordReader()
    const { id, text } = textOf(makeRecord())
    const held = `7.mark:${text}`
    expect(reader.read(id, held, 7)).toMatchObject({ id })
    expect(reader.read(id, held, 7)).toBe(reader.read(id, held, 7))
  })

  test('of another session is never taken for this one', () => {
    const reader = new RecordReader()
    const [a, b] = texts(2) as [ReturnType<typeof textOf>, ReturnType<typeof textOf>]
    reader.read(a.id, a.text)
    expect(reader.read(a.id, b.text)).toEqual({ id: a.id })
    expect(reader.read(b.id, b.text)).toMatchObject({ id: b.id })
  })
})

test('what is damaged is not remembered', () => {
  const reader = new RecordReader()
  const broken = reader.read('x', '{"id":"x"}')
  expect(broken).toEqual({ id: 'x' })
  expect(reader.read('x', '{"id":"x"}')).not.toBe(broken)
  expect(reader.read('x', 'not JSON')).toEqual({ id: 'x' })
})

test('what is forgotten is parsed again', () => {
  const reader = new RecordReader()
  const { id, text } = textOf(makeRecord())
  reader.read(id, text)
  const first = reader.read(id, text)
  expect(reader.read(id, text)).toBe(first)
  reader.forget(id)
  expect(reader.read(id, text)).not.toBe(first)
})

test('only the last 1,000 are remembered', () => {
  const reader = new RecordReader()
  const all = texts(1_001)
  const twice = ({ id, text }: { id: string; text: string }) => {
    reader.read(id, text)
    return reader.read(id, text)
  }
  const [first, second] = [twice(all[0]!), twice(all[1]!)]
  for (const { id, text } of all.slice(2)) reader.read(id, text)
  expect(reader.read(all[1]!.id, all[1]!.text)).toBe(second)
  expect(reader.read(all[0]!.id, all[0]!.text)).not.toBe(first)
})
