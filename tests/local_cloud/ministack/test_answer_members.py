"""Answers of MiniStack have the members that AWS's have: none without a value, and none by a template's name."""

from __future__ import annotations

import json

from tests.conftest import Cloud
from tests.local_cloud.conftest import unique
from tests.roles import ROLE

DEFINITION = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}})


def test_an_execution_that_runs_has_no_end(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name=unique("runs"), definition=DEFINITION, roleArn=ROLE)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert not {"output", "stopDate"} & set(states.describe_execution(executionArn=execution))
    (listed,) = states.list_executions(stateMachineArn=machine)["executions"]
    assert "stopDate" not in listed
    states.stop_execution(executionArn=execution)


def test_a_stacks_state_machine_tells_of_its_logging(cloud: Cloud) -> None:
    name = unique("logging")
    machine = {
        "StateMachineName": name,
        "DefinitionString": DEFINITION,
        "RoleArn": ROLE,
        "LoggingConfiguration": {
            "Level": "ERROR",
            "IncludeExecutionData": True,
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["Log", "Arn"]}}}],
        },
    }
    template = {
        "Resources": {
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}},
            "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
        },
        "Outputs": {"Arn": {"Value": {"Ref": "Machine"}}},
    }
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (output,) = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    machine = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=output["OutputValue"])
    (destination,) = machine["loggingConfiguration"].pop("destinations")
    assert machine["loggingConfiguration"] == {"level": "ERROR", "includeExecutionData": True}
    assert f"log-group:{name}" in destination["cloudWatchLogsLogGroup"]["logGroupArn"]


def test_an_alarm_without_a_unit_has_none(cloud: Cloud) -> None:
    cloudwatch, name = cloud.client("cloudwatch"), unique("alarm")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Tests",
        MetricName="a",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert not {"Unit", "ExtendedStatistic"} & set(alarm)
