import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { get } from './served.js';

// As tsc writes decorators: a bundler cannot.
class Hello {
  hello() {
    return 'hello from nest';
  }
}
Get()(Hello.prototype, 'hello', Object.getOwnPropertyDescriptor(Hello.prototype, 'hello'));
Controller()(Hello);
class App {}
Module({ controllers: [Hello] })(App);

export default async (ctx) => {
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(0, '127.0.0.1');
  ctx.log.info(await get(await app.getUrl()));
  await app.close();
};
