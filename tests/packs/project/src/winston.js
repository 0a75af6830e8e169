import winston from 'winston';

export default () => {
  const { Console } = winston.transports;
  winston.createLogger({ format: winston.format.simple(), transports: [new Console()] }).info('winston', { n: 1 });
};
