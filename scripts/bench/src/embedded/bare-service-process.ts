import 'reflect-metadata';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Level } from 'level';

// The least that could answer POST /v1/records durably: Nest, Fastify, one synced put. Arguments: folder, port.

const [folder = '', port = '0'] = process.argv.slice(2);
const level = new Level<string, unknown>(folder, { valueEncoding: 'json' });

class RecordsController {
  public async put(body: unknown): Promise<object> {
    await level.put(String(process.hrtime.bigint()), body, { sync: true });
    return { stored: true };
  }
}

class BareModule {}

// Written as calls: decorators would need a compiler's setting for this file alone.
const put = Object.getOwnPropertyDescriptor(RecordsController.prototype, 'put');
if (put === undefined) throw new Error('no such route');
Reflect.defineMetadata('design:paramtypes', [Object], RecordsController.prototype, 'put');
Body()(RecordsController.prototype, 'put', 0);
Post('records')(RecordsController.prototype, 'put', put);
Controller('v1')(RecordsController);
Module({ controllers: [RecordsController] })(BareModule);

await level.open();
const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(port), '127.0.0.1');
