import { testSchedules } from './schedules.js'

jest.setTimeout(300_000)

describe('two nodes, in many random schedules', () => testSchedules(2_000))
