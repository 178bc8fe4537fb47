// NestJS on Express: a guard, a parameter decorator for the user, and a filter for the errors of the session.
import {
  Body,
  Catch,
  Controller,
  createParamDecorator,
  Get,
  HttpCode,
  Module,
  Post,
  Req,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Request, RequestHandler, Response } from 'express'
import { createSessions, requireRecentLogin, requireUser, sessionMiddleware } from 'express-sid'
import { SessionError, sessionOf, userOf } from 'express-sid'

export const sessions = createSessions()

/** The user of the request, for handlers behind a guard: `@User() user`. */
const User = createParamDecorator((_: unknown, context: ExecutionContext) =>
  userOf(context.switchToHttp().getRequest<Request>()),
)

/** Makes a guard of NestJS from one of Express. It has passed with `next()`, or has sent its refusal by itself. */
const guard = (handler: RequestHandler): CanActivate => ({
  canActivate: (context) =>
    new Promise((resolve, reject) => {
      const res = context.switchToHttp().getResponse<Response>()
      res.once('close', () => resolve(false))
      const next = (error?: unknown) => (error === undefined ? resolve(true) : reject(error))
      void handler(context.switchToHttp().getRequest<Request>(), res, next)
    }),
})

/** An error of the session has a status and a code. Those of our own side say no more. */
@Catch(SessionError)
class SessionErrors implements ExceptionFilter<SessionError> {
  catch({ status, code, message }: SessionError, host: ArgumentsHost): void {
    const res = host.switchToHttp().getResponse<Response>()
    res.status(status).json({ error: status < 500 ? { code, message } : { code } })
  }
}

@Controller()
@UseFilters(SessionErrors)
class Account {
  @Post('login')
  @HttpCode(204)
  async login(@Req() req: Request, @Body() body: { name: string; password: string }): Promise<void> {
    if (body.password !== 'tea') throw new UnauthorizedException()
    await sessionOf(req).login({ id: body.name }, { method: 'password' })
  }

  @Post('logout')
  @HttpCode(204)
  async logout(@Req() req: Request): Promise<void> {
    await sessionOf(req).logout()
  }

  @Get('me')
  @UseGuards(guard(requireUser()))
  me(@User() user: Express.User): Express.User {
    return user
  }

  @Post('payout')
  @UseGuards(guard(requireRecentLogin({ within: '10m', methods: 'passkey' })))
  payout(): string {
    return 'paid'
  }

  // Without a guard: the decorator throws, and the filter responds.
  @Get('name')
  name(@User() user: Express.User): Express.User {
    return user
  }
}

@Module({ controllers: [Account] })
class AppModule implements OnApplicationShutdown {
  onApplicationShutdown(): Promise<void> {
    return sessions.close()
  }
}

export async function createApp(): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
  app.use(sessionMiddleware(sessions))
  return app
}
