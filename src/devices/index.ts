export { deviceRoutes } from './routes.js'

export type { Device } from './device.js'
export type { DeviceRoutesOptions } from './options.js'
export type { DeviceTexts } from './texts.js'
