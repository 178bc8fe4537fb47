import { needs } from '../support/needs.js'
import { installConsumer, type Consumer } from './support/packed.js'

jest.setTimeout(120_000)

needs('registry')('the overrides of npm', () => {
  let app: Consumer
  beforeAll(async () => {
    app = await installConsumer('overrides', ['express'])
  })
  afterAll(() => app.remove())

  test('give a library that imports express-session this package in its place', async () => {
    expect(await app.node(['app.js'])).toBe('[1,2]\n')
  })
})
