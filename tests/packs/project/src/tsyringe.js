import 'reflect-metadata';
import { container, inject, injectable } from 'tsyringe';

class Clock {
  now() {
    return 'noon';
  }
}
injectable()(Clock);
class Greeter {
  constructor(clock) {
    this.clock = clock;
  }
}
inject(Clock)(Greeter, undefined, 0);
injectable()(Greeter);

export default (ctx) => ctx.log.info(`it is ${container.resolve(Greeter).clock.now()}`);
