import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { dictionary, integer, kindShape, list, mappingNameShape, mappingSchema, mappingShape, object, optional, text } from '@huilian/protocol';
import { anyAnswer, answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { parameter } from './act-objects.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { daily, Declare, everyRole, jsonHeader, readLater, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const columnShape = text(/[^\u0000-\u001f\u007f]{0,200}/, 200);
const cellShape = text(/[^]*/, 65_536);
const mostRows = 200;
const draftShape = object({ kind: kindShape, schema: optional(integer(1, 9999)), header: list(columnShape, 1, 500), samples: list(list(cellShape, 0, 500), 0, mostRows) });
const previewShape = object({ kind: kindShape, schema: optional(integer(1, 9999)), mapping: optional(readLater(mappingShape)), name: optional(mappingNameShape), rows: list(dictionary(/[^\u0000-\u001f\u007f]{1,200}/, cellShape, 500), 0, mostRows) });
const bodyBytes = 4 * 1024 * 1024;

/** Mappings: how the columns of a platform's own export become fields. Held by name, drafted, tried out. */
@Controller('v1')
export class MappingsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'mappings', en: 'mappings that this node holds', zh: '字段映射列表', who: 'operator', roles: everyRole, query: listQuery, answer: answers.mappings, curl: `curl -s ${tokenHeader} $NODE/v1/mappings` })
  @Get('mappings')
  public list(@Operator() _operator: Caller, @Query() query: Record<string, string>): object {
    const items = this.services.mappings.list().map(({ document: { columns, kind, schema, title }, ...held }) => ({ ...held, kind, schema, columns: Object.keys(columns).length, ...(title === undefined ? {} : { title }) }));
    return this.cursors.page('mappings', items, readPage(query));
  }

  @Declare({ id: 'mapping', en: 'one mapping', zh: '单个字段映射', who: 'operator', roles: everyRole, answer: answers.mapping, codes: ['MAPPING_UNKNOWN'], curl: `curl -s ${tokenHeader} $NODE/v1/mappings/$MAPPING` })
  @Get('mappings/:name')
  public find(@Operator() _operator: Caller, @Param('name') name: string): object {
    return this.services.mappings.find(mappingNameShape.read(name, '/name'));
  }

  @Declare({
    id: 'putMapping', en: 'holds a mapping under a name, in place of one that was there; one that loses a required field is refused', zh: '保存字段映射', who: 'operator', roles: daily, act: 'mapping.put', object: parameter('name'), body: readLater(mappingShape), bodyBytes, answer: answers.mapping, codes: ['MAPPING_INVALID', 'SCHEMA_UNKNOWN'],
    curl: `curl -s -X PUT ${tokenHeader} ${jsonHeader} -d @$MAPPING_FILE $NODE/v1/mappings/qualification-export`,
  })
  @Put('mappings/:name')
  public async put(@Operator() _operator: Caller, @Param('name') name: string, @Body() body: unknown): Promise<object> {
    return await this.services.putMapping(name, body);
  }

  @Declare({ id: 'removeMapping', en: 'forgets a mapping; rows that name it are refused from then on', zh: '删除字段映射', who: 'operator', roles: daily, act: 'mapping.remove', object: parameter('name'), status: 204, codes: ['MAPPING_UNKNOWN'], curl: `curl -s -X DELETE ${tokenHeader} $NODE/v1/mappings/$MAPPING` })
  @Delete('mappings/:name')
  @HttpCode(204)
  public async remove(@Operator() _operator: Caller, @Param('name') name: string): Promise<void> {
    await this.services.mappings.remove(mappingNameShape.read(name, '/name'));
  }

  @Declare({ id: 'mappingSchema', en: 'the JSON Schema of mappings, for editors', zh: '字段映射的 JSON Schema', who: 'anyone', answer: anyAnswer, curl: 'curl -s $NODE/v1/mapping-schema' })
  @Get('mapping-schema')
  public schema(): object {
    return mappingSchema();
  }

  @Declare({
    id: 'draftMapping', en: 'a first draft of a mapping from a header row and sample rows, each guess with its confidence and why; nothing is kept', zh: '由表头与样本生成映射草稿', who: 'operator', roles: daily, secret: true, body: draftShape, bodyBytes, answer: answers.mappingDraft, codes: ['SCHEMA_UNKNOWN'],
    curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"kind":"qualification","header":["企业名称","证书编号"],"samples":[["示例公司","D-SAMPLE-1"]]}' $NODE/v1/mapping-drafts`,
  })
  @Post('mapping-drafts')
  @HttpCode(200)
  public draft(@Operator() _operator: Caller, @Body() body: unknown): object {
    const { header, kind, samples, schema } = draftShape.read(body);
    return this.services.draftMapping(kind, schema, header, samples);
  }

  @Declare({
    id: 'previewMapping', en: 'rows beside what a mapping makes of them: fields, problems, suggestions; nothing is kept or published', zh: '并排预览映射结果', who: 'operator', roles: daily, secret: true, body: previewShape, bodyBytes, answer: answers.mappingPreview, codes: ['SCHEMA_UNKNOWN', 'MAPPING_UNKNOWN'],
    curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"kind":"qualification","rows":[{"QUAL_CERT_NO":"D-SAMPLE-1"}]}' $NODE/v1/mapping-previews`,
  })
  @Post('mapping-previews')
  @HttpCode(200)
  public preview(@Operator() _operator: Caller, @Body() body: unknown): object {
    const { kind, mapping, name, rows, schema } = previewShape.read(body);
    return this.services.previewMapping(kind, schema, mapping ?? (name === undefined ? undefined : this.services.mappings.find(name).document), rows);
  }
}
