import { hiddenField } from '../../src/lib/hidden-field.js'

test('keeps a value for an object, which shows nowhere', () => {
  const field = hiddenField<string>()
  const object = { name: 'Ann' }
  expect(field.of(object)).toBeUndefined()
  field.set(object, 'first')
  field.set(object, 'second')
  expect(field.of(object)).toBe('second')
  expect(Reflect.ownKeys(object)).toEqual(['name'])
  expect(field.of({ ...object })).toBeUndefined()
})

test('is one of many fields, each with its own values', () => {
  const [one, other] = [hiddenField<number>(), hiddenField<number>()]
  const object = Object.create(null) as object
  one.set(object, 1)
  expect([one.of(object), other.of(object)]).toEqual([1, undefined])
  other.set(object, 2)
  expect([one.of(object), other.of(object)]).toEqual([1, 2])
})
