import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports, localExports } from './exports.ts';
import { aws, resource, resourcesOf, synthesize, textOf } from './synthesize.ts';

test('a datastore without an id is created, for R4 and under the key, and outlives the stack', () => {
  const datastore = resource(awsExports.template, 'AWS::HealthLake::FHIRDatastore');
  const key = resource(awsExports.template, 'AWS::KMS::Key');
  assert.deepEqual(datastore.Properties, {
    DatastoreName: 'tributary-dev-clinic',
    DatastoreTypeVersion: 'R4',
    SseConfiguration: {
      KmsEncryptionConfig: {
        CmkType: 'CUSTOMER_MANAGED_KMS_KEY',
        KmsKeyId: { 'Fn::GetAtt': [key.logicalId, 'Arn'] },
      },
    },
  });
  assert.equal(datastore.DeletionPolicy, 'Retain');
  const { template } = synthesize({ options: { datastores: { clinic: {} }, removalPolicy: 'destroy' } });
  assert.equal(resource(template, 'AWS::HealthLake::FHIRDatastore').DeletionPolicy, 'Delete');
});

test('locally no datastore is created, and one without an id has always the same', () => {
  localExports.template.resourceCountIs('AWS::HealthLake::FHIRDatastore', 0);
  const { ClinicDatastoreId, CareRecordsDatastoreId } = localExports.template.toJSON().Outputs;
  // printf clinic | sha256sum
  assert.equal(ClinicDatastoreId.Value, 'bbfeb74a4b4216dfd0f7b10edf5743e6');
  assert.equal(CareRecordsDatastoreId.Value, '0123456789abcdef0123456789abcdef');
});

test('without datastores nothing of the exports is deployed', () => {
  const ofExports = Object.keys(resourcesOf(aws.template)).filter((logicalId) => logicalId.startsWith('Exports'));
  assert.deepEqual(ofExports, []);
  assert.doesNotMatch(JSON.stringify(aws.template.toJSON()), /healthlake|delivery\.logs/);
});

test('HealthLake writes as a role that trusts it for these datastores of this account alone', () => {
  const role = resource(awsExports.template, 'AWS::IAM::Role', 'ExportsData');
  const [statement] = role.Properties.AssumeRolePolicyDocument.Statement;
  assert.deepEqual(statement.Principal, { Service: 'healthlake.amazonaws.com' });
  assert.deepEqual(statement.Condition.StringEquals, { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
  const { logicalId } = resource(awsExports.template, 'AWS::HealthLake::FHIRDatastore');
  assert.deepEqual(
    statement.Condition.ArnEquals['aws:SourceArn'].map((arn: unknown) => textOf(arn).split(':').at(-1)),
    [`datastore/fhir/<${logicalId}.DatastoreId>`, 'datastore/fhir/0123456789abcdef0123456789abcdef'],
  );
});
