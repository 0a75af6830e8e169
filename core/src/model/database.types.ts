// Generated from the migrations by npm run types. Do not edit.
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  stark: {
    Tables: {
      autoscaler_recommendations: {
        Row: {
          deployment_id: string;
          id: number;
          metrics: NonNullable<Json>;
          reason: string;
          recommended: number;
          recommended_at: string;
          replicas: number;
          wanted: number;
        };
        ComputedFields: never;
        Insert: {
          deployment_id: string;
          id?: never;
          metrics?: NonNullable<Json>;
          reason: string;
          recommended: number;
          recommended_at: string;
          replicas: number;
          wanted: number;
        };
        Update: {
          deployment_id?: string;
          id?: never;
          metrics?: NonNullable<Json>;
          reason?: string;
          recommended?: number;
          recommended_at?: string;
          replicas?: number;
          wanted?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'autoscaler_recommendations_deployment_id_fkey';
            columns: ['deployment_id'];
            isOneToOne: false;
            referencedRelation: 'autoscalers';
            referencedColumns: ['deployment_id'];
          },
        ];
      };
      autoscalers: {
        Row: {
          deployment_id: string;
          idle_since: string | null;
          looked_at: string | null;
          max_replicas: number;
          metrics: NonNullable<Json>;
          min_replicas: number;
          name: string;
          namespace: string;
          next_look_at: string;
          reason: string | null;
          recommended: number | null;
          scaled_at: string | null;
          scaled_to_zero: boolean;
          wanted: number | null;
        };
        ComputedFields: never;
        Insert: {
          deployment_id: string;
          idle_since?: string | null;
          looked_at?: string | null;
          max_replicas: number;
          metrics?: NonNullable<Json>;
          min_replicas: number;
          name: string;
          namespace: string;
          next_look_at: string;
          reason?: string | null;
          recommended?: number | null;
          scaled_at?: string | null;
          scaled_to_zero?: boolean;
          wanted?: number | null;
        };
        Update: {
          deployment_id?: string;
          idle_since?: string | null;
          looked_at?: string | null;
          max_replicas?: number;
          metrics?: NonNullable<Json>;
          min_replicas?: number;
          name?: string;
          namespace?: string;
          next_look_at?: string;
          reason?: string | null;
          recommended?: number | null;
          scaled_at?: string | null;
          scaled_to_zero?: boolean;
          wanted?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'autoscalers_deployment_id_fkey';
            columns: ['deployment_id'];
            isOneToOne: true;
            referencedRelation: 'deployments';
            referencedColumns: ['id'];
          },
        ];
      };
      cluster_config: {
        Row: {
          allow_node_registration: boolean;
          allow_registration: boolean;
          default_cpu_request: number;
          default_grace_seconds: number;
          default_memory_request: number;
          default_namespace: string;
          ended_pod_retention_days: number;
          event_retention_days: number;
          heartbeat_interval: number;
          heartbeat_timeout: number;
          liveness: string;
          log_retention_days: number;
          max_log_lines_per_pod: number;
          max_pods_per_node: number;
          name: string;
          resource_version: number;
          scheduling_policy: string;
          scheduling_seed: number;
          updated_at: string;
        };
        ComputedFields: never;
        Insert: {
          allow_node_registration?: boolean;
          allow_registration?: boolean;
          default_cpu_request?: number;
          default_grace_seconds?: number;
          default_memory_request?: number;
          default_namespace?: string;
          ended_pod_retention_days?: number;
          event_retention_days?: number;
          heartbeat_interval?: number;
          heartbeat_timeout?: number;
          liveness?: string;
          log_retention_days?: number;
          max_log_lines_per_pod?: number;
          max_pods_per_node?: number;
          name?: string;
          resource_version?: number;
          scheduling_policy?: string;
          scheduling_seed?: number;
          updated_at?: string;
        };
        Update: {
          allow_node_registration?: boolean;
          allow_registration?: boolean;
          default_cpu_request?: number;
          default_grace_seconds?: number;
          default_memory_request?: number;
          default_namespace?: string;
          ended_pod_retention_days?: number;
          event_retention_days?: number;
          heartbeat_interval?: number;
          heartbeat_timeout?: number;
          liveness?: string;
          log_retention_days?: number;
          max_log_lines_per_pod?: number;
          max_pods_per_node?: number;
          name?: string;
          resource_version?: number;
          scheduling_policy?: string;
          scheduling_seed?: number;
          updated_at?: string;
        };
        Relationships: [];
      };
      deployment_reasons: {
        Row: {
          completed_by: string;
          description: string;
          reason: string;
          status: string;
        };
        ComputedFields: never;
        Insert: {
          completed_by: string;
          description: string;
          reason: string;
          status: string;
        };
        Update: {
          completed_by?: string;
          description?: string;
          reason?: string;
          status?: string;
        };
        Relationships: [];
      };
      deployment_revisions: {
        Row: {
          available_replicas: number;
          cause: string;
          change_cause: string | null;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deployment_id: string;
          deployment_name: string;
          failed_at: string | null;
          failures_cleared_at: string | null;
          namespace: string;
          pack_version_id: string;
          ready_replicas: number;
          resource_version: number;
          revision: number;
          stable_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          step: number;
          step_waited: string;
          template: NonNullable<Json>;
          template_hash: string;
          version: string;
          waited: string;
          wanted: number;
        };
        ComputedFields: never;
        Insert: {
          available_replicas?: number;
          cause: string;
          change_cause?: string | null;
          created_at?: string;
          created_by?: string | null;
          current_replicas?: number;
          deployment_id: string;
          deployment_name: string;
          failed_at?: string | null;
          failures_cleared_at?: string | null;
          namespace: string;
          pack_version_id: string;
          ready_replicas?: number;
          resource_version?: number;
          revision: number;
          stable_at?: string | null;
          status?: string;
          status_message?: string | null;
          status_reason?: string | null;
          step?: number;
          step_waited?: string;
          template: NonNullable<Json>;
          template_hash: string;
          version: string;
          waited?: string;
          wanted?: number;
        };
        Update: {
          available_replicas?: number;
          cause?: string;
          change_cause?: string | null;
          created_at?: string;
          created_by?: string | null;
          current_replicas?: number;
          deployment_id?: string;
          deployment_name?: string;
          failed_at?: string | null;
          failures_cleared_at?: string | null;
          namespace?: string;
          pack_version_id?: string;
          ready_replicas?: number;
          resource_version?: number;
          revision?: number;
          stable_at?: string | null;
          status?: string;
          status_message?: string | null;
          status_reason?: string | null;
          step?: number;
          step_waited?: string;
          template?: NonNullable<Json>;
          template_hash?: string;
          version?: string;
          waited?: string;
          wanted?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'deployment_revisions_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'deployment_revisions_deployment_id_fkey';
            columns: ['deployment_id'];
            isOneToOne: false;
            referencedRelation: 'deployments';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'deployment_revisions_pack_version_id_fkey';
            columns: ['pack_version_id'];
            isOneToOne: false;
            referencedRelation: 'pack_versions';
            referencedColumns: ['id'];
          },
        ];
      };
      deployments: {
        Row: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        ComputedFields: never;
        Insert: {
          acts_as?: string | null;
          annotations?: NonNullable<Json>;
          auto_rollback?: boolean;
          autoscale?: Json | null;
          available_replicas?: number;
          canary_steps?: NonNullable<Json>;
          conditions?: NonNullable<Json>;
          created_at?: string;
          created_by?: string | null;
          current_replicas?: number;
          deletion_forced?: boolean;
          deletion_requested_at?: string | null;
          desired_replicas?: number;
          disruption_max_unavailable?: Json | null;
          follow_after?: string | null;
          follow_latest?: boolean;
          generation?: number;
          id?: string;
          include_prerelease?: boolean;
          labels?: NonNullable<Json>;
          max_surge?: NonNullable<Json>;
          max_unavailable?: NonNullable<Json>;
          min_ready_seconds?: number;
          mode?: string;
          name: string;
          namespace: string;
          next_reconcile_at?: string | null;
          observed_generation?: number;
          pack_id: string;
          pack_name: string;
          paused?: boolean;
          progress_deadline_seconds?: number;
          ready_replicas?: number;
          reconcile_errors?: number;
          reconciled_at?: string | null;
          replicas?: number;
          resource_version?: number;
          revision?: number;
          revision_history_limit?: number;
          rollout_paused?: boolean;
          status?: string;
          status_message?: string | null;
          status_reason?: string | null;
          strategy?: string;
          unavailable_replicas?: number;
          updated_at?: string;
          updated_replicas?: number;
          version_range?: string | null;
        };
        Update: {
          acts_as?: string | null;
          annotations?: NonNullable<Json>;
          auto_rollback?: boolean;
          autoscale?: Json | null;
          available_replicas?: number;
          canary_steps?: NonNullable<Json>;
          conditions?: NonNullable<Json>;
          created_at?: string;
          created_by?: string | null;
          current_replicas?: number;
          deletion_forced?: boolean;
          deletion_requested_at?: string | null;
          desired_replicas?: number;
          disruption_max_unavailable?: Json | null;
          follow_after?: string | null;
          follow_latest?: boolean;
          generation?: number;
          id?: string;
          include_prerelease?: boolean;
          labels?: NonNullable<Json>;
          max_surge?: NonNullable<Json>;
          max_unavailable?: NonNullable<Json>;
          min_ready_seconds?: number;
          mode?: string;
          name?: string;
          namespace?: string;
          next_reconcile_at?: string | null;
          observed_generation?: number;
          pack_id?: string;
          pack_name?: string;
          paused?: boolean;
          progress_deadline_seconds?: number;
          ready_replicas?: number;
          reconcile_errors?: number;
          reconciled_at?: string | null;
          replicas?: number;
          resource_version?: number;
          revision?: number;
          revision_history_limit?: number;
          rollout_paused?: boolean;
          status?: string;
          status_message?: string | null;
          status_reason?: string | null;
          strategy?: string;
          unavailable_replicas?: number;
          updated_at?: string;
          updated_replicas?: number;
          version_range?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'deployments_acts_as_fkey';
            columns: ['acts_as'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'deployments_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'deployments_namespace_fkey';
            columns: ['namespace'];
            isOneToOne: false;
            referencedRelation: 'namespaces';
            referencedColumns: ['name'];
          },
          {
            foreignKeyName: 'deployments_pack_id_fkey';
            columns: ['pack_id'];
            isOneToOne: false;
            referencedRelation: 'packs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'deployments_status_reason_fkey';
            columns: ['status_reason'];
            isOneToOne: false;
            referencedRelation: 'deployment_reasons';
            referencedColumns: ['reason'];
          },
        ];
      };
      error_codes: {
        Row: {
          code: string;
          description: string;
          exit_code: number;
          http_status: number;
        };
        ComputedFields: never;
        Insert: {
          code: string;
          description: string;
          exit_code: number;
          http_status: number;
        };
        Update: {
          code?: string;
          description?: string;
          exit_code?: number;
          http_status?: number;
        };
        Relationships: [];
      };
      events: {
        Row: {
          actor: string | null;
          correlation_id: string | null;
          details: Json | null;
          kind: string;
          namespace: string | null;
          object: NonNullable<Json>;
          object_id: string;
          origin: string;
          seq: number;
          time: string;
          type: string;
          version: number;
        };
        ComputedFields: never;
        Insert: {
          actor?: string | null;
          correlation_id?: string | null;
          details?: Json | null;
          kind: string;
          namespace?: string | null;
          object: NonNullable<Json>;
          object_id: string;
          origin: string;
          seq: number;
          time?: string;
          type: string;
          version?: number;
        };
        Update: {
          actor?: string | null;
          correlation_id?: string | null;
          details?: Json | null;
          kind?: string;
          namespace?: string | null;
          object?: NonNullable<Json>;
          object_id?: string;
          origin?: string;
          seq?: number;
          time?: string;
          type?: string;
          version?: number;
        };
        Relationships: [];
      };
      join_tokens: {
        Row: {
          accepted_namespaces: string[];
          accepts: string | null;
          created_at: string;
          expires_at: string;
          id: string;
          labels: NonNullable<Json>;
          max_uses: number;
          owner_id: string;
          revoked_at: string | null;
          taints: NonNullable<Json>;
          used_at: string | null;
          uses: number;
        };
        ComputedFields: never;
        Insert: {
          accepted_namespaces?: string[];
          accepts?: string | null;
          created_at?: string;
          expires_at: string;
          id?: string;
          labels?: NonNullable<Json>;
          max_uses?: number;
          owner_id: string;
          revoked_at?: string | null;
          taints?: NonNullable<Json>;
          used_at?: string | null;
          uses?: number;
        };
        Update: {
          accepted_namespaces?: string[];
          accepts?: string | null;
          created_at?: string;
          expires_at?: string;
          id?: string;
          labels?: NonNullable<Json>;
          max_uses?: number;
          owner_id?: string;
          revoked_at?: string | null;
          taints?: NonNullable<Json>;
          used_at?: string | null;
          uses?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'join_tokens_owner_id_fkey';
            columns: ['owner_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      namespaces: {
        Row: {
          created_at: string;
          created_by: string | null;
          labels: NonNullable<Json>;
          limit_range: NonNullable<Json>;
          name: string;
          phase: string;
          quota: NonNullable<Json>;
          reserved: boolean;
          resource_version: number;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          created_by?: string | null;
          labels?: NonNullable<Json>;
          limit_range?: NonNullable<Json>;
          name: string;
          phase?: string;
          quota?: NonNullable<Json>;
          reserved?: boolean;
          resource_version?: number;
        };
        Update: {
          created_at?: string;
          created_by?: string | null;
          labels?: NonNullable<Json>;
          limit_range?: NonNullable<Json>;
          name?: string;
          phase?: string;
          quota?: NonNullable<Json>;
          reserved?: boolean;
          resource_version?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'namespaces_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      node_leases: {
        Row: {
          heartbeat_timeout: number;
          incarnation: number;
          liveness: string;
          node_id: string;
          renewed_at: string;
          usage: NonNullable<Json>;
          usage_at: string | null;
        };
        ComputedFields: never;
        Insert: {
          heartbeat_timeout?: number;
          incarnation: number;
          liveness?: string;
          node_id: string;
          renewed_at?: string;
          usage?: NonNullable<Json>;
          usage_at?: string | null;
        };
        Update: {
          heartbeat_timeout?: number;
          incarnation?: number;
          liveness?: string;
          node_id?: string;
          renewed_at?: string;
          usage?: NonNullable<Json>;
          usage_at?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'node_leases_node_id_fkey';
            columns: ['node_id'];
            isOneToOne: true;
            referencedRelation: 'node_room';
            referencedColumns: ['node_id'];
          },
          {
            foreignKeyName: 'node_leases_node_id_fkey';
            columns: ['node_id'];
            isOneToOne: true;
            referencedRelation: 'nodes';
            referencedColumns: ['id'];
          },
        ];
      };
      nodes: {
        Row: {
          accepted_namespaces: string[];
          accepts: string;
          agent_id: string | null;
          allocatable: NonNullable<Json>;
          allocated: NonNullable<Json>;
          capabilities: NonNullable<Json>;
          connected_at: string | null;
          created_at: string;
          draining: boolean;
          id: string;
          incarnation: number;
          installation: string | null;
          labels: NonNullable<Json>;
          name: string;
          overrides: NonNullable<Json>;
          owner_id: string;
          resource_version: number;
          runtime: string;
          status: string;
          status_reason: string | null;
          taints: NonNullable<Json>;
          unschedulable: boolean;
          updated_at: string;
        };
        ComputedFields: never;
        Insert: {
          accepted_namespaces?: string[];
          accepts?: string;
          agent_id?: string | null;
          allocatable: NonNullable<Json>;
          allocated?: NonNullable<Json>;
          capabilities?: NonNullable<Json>;
          connected_at?: string | null;
          created_at?: string;
          draining?: boolean;
          id?: string;
          incarnation?: number;
          installation?: string | null;
          labels?: NonNullable<Json>;
          name: string;
          overrides?: NonNullable<Json>;
          owner_id: string;
          resource_version?: number;
          runtime: string;
          status?: string;
          status_reason?: string | null;
          taints?: NonNullable<Json>;
          unschedulable?: boolean;
          updated_at?: string;
        };
        Update: {
          accepted_namespaces?: string[];
          accepts?: string;
          agent_id?: string | null;
          allocatable?: NonNullable<Json>;
          allocated?: NonNullable<Json>;
          capabilities?: NonNullable<Json>;
          connected_at?: string | null;
          created_at?: string;
          draining?: boolean;
          id?: string;
          incarnation?: number;
          installation?: string | null;
          labels?: NonNullable<Json>;
          name?: string;
          overrides?: NonNullable<Json>;
          owner_id?: string;
          resource_version?: number;
          runtime?: string;
          status?: string;
          status_reason?: string | null;
          taints?: NonNullable<Json>;
          unschedulable?: boolean;
          updated_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'nodes_agent_id_fkey';
            columns: ['agent_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'nodes_owner_id_fkey';
            columns: ['owner_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      pack_versions: {
        Row: {
          assets_path: string | null;
          assets_sha256: string | null;
          assets_size_bytes: number | null;
          bucket: string;
          created_at: string;
          created_by: string | null;
          entry: string;
          id: string;
          pack_id: string;
          pack_name: string;
          path: string;
          ports: NonNullable<Json>;
          ready_at: string | null;
          resource_version: number;
          runtime: string;
          sha256: string;
          size_bytes: number;
          state: string;
          version: string;
          version_key: string | null;
        };
        ComputedFields: never;
        Insert: {
          assets_path?: string | null;
          assets_sha256?: string | null;
          assets_size_bytes?: number | null;
          bucket?: string;
          created_at?: string;
          created_by?: string | null;
          entry?: string;
          id?: string;
          pack_id: string;
          pack_name: string;
          path: string;
          ports?: NonNullable<Json>;
          ready_at?: string | null;
          resource_version?: number;
          runtime: string;
          sha256: string;
          size_bytes: number;
          state?: string;
          version: string;
          version_key?: never;
        };
        Update: {
          assets_path?: string | null;
          assets_sha256?: string | null;
          assets_size_bytes?: number | null;
          bucket?: string;
          created_at?: string;
          created_by?: string | null;
          entry?: string;
          id?: string;
          pack_id?: string;
          pack_name?: string;
          path?: string;
          ports?: NonNullable<Json>;
          ready_at?: string | null;
          resource_version?: number;
          runtime?: string;
          sha256?: string;
          size_bytes?: number;
          state?: string;
          version?: string;
          version_key?: never;
        };
        Relationships: [
          {
            foreignKeyName: 'pack_versions_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pack_versions_pack_id_fkey';
            columns: ['pack_id'];
            isOneToOne: false;
            referencedRelation: 'packs';
            referencedColumns: ['id'];
          },
        ];
      };
      packs: {
        Row: {
          created_at: string;
          description: string | null;
          id: string;
          latest_version: string | null;
          name: string;
          owner_id: string;
          resource_version: number;
          updated_at: string;
          visibility: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          description?: string | null;
          id?: string;
          latest_version?: string | null;
          name: string;
          owner_id: string;
          resource_version?: number;
          updated_at?: string;
          visibility?: string;
        };
        Update: {
          created_at?: string;
          description?: string | null;
          id?: string;
          latest_version?: string | null;
          name?: string;
          owner_id?: string;
          resource_version?: number;
          updated_at?: string;
          visibility?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'packs_owner_id_fkey';
            columns: ['owner_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      pod_env: {
        Row: {
          config: Json | null;
          env: Json | null;
          pod_id: string;
        };
        ComputedFields: never;
        Insert: {
          config?: Json | null;
          env?: Json | null;
          pod_id: string;
        };
        Update: {
          config?: Json | null;
          env?: Json | null;
          pod_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'pod_env_pod_id_fkey';
            columns: ['pod_id'];
            isOneToOne: true;
            referencedRelation: 'pods';
            referencedColumns: ['id'];
          },
        ];
      };
      pod_logs: {
        Row: {
          level: string | null;
          message: string;
          namespace: string;
          pod_id: string;
          run: number;
          seq: number;
          stream: string;
          time: string;
        };
        ComputedFields: never;
        Insert: {
          level?: string | null;
          message: string;
          namespace: string;
          pod_id: string;
          run?: number;
          seq: number;
          stream: string;
          time: string;
        };
        Update: {
          level?: string | null;
          message?: string;
          namespace?: string;
          pod_id?: string;
          run?: number;
          seq?: number;
          stream?: string;
          time?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'pod_logs_pod_id_fkey';
            columns: ['pod_id'];
            isOneToOne: false;
            referencedRelation: 'pods';
            referencedColumns: ['id'];
          },
        ];
      };
      pod_status_steps: {
        Row: {
          from_status: string;
          taken_by: string;
          to_status: string;
        };
        ComputedFields: never;
        Insert: {
          from_status: string;
          taken_by: string;
          to_status: string;
        };
        Update: {
          from_status?: string;
          taken_by?: string;
          to_status?: string;
        };
        Relationships: [];
      };
      pods: {
        Row: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        };
        ComputedFields: never;
        Insert: {
          annotations?: NonNullable<Json>;
          cpu_request?: never;
          created_at?: string;
          created_by?: string | null;
          deletion_requested_at?: string | null;
          deployment_id?: string | null;
          exit_code?: number | null;
          finished_at?: string | null;
          id?: string;
          incarnation?: number | null;
          labels?: NonNullable<Json>;
          memory_request?: never;
          name: string;
          namespace: string;
          node_id?: string | null;
          node_name?: string | null;
          nominated_node_id?: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id?: string | null;
          ports?: NonNullable<Json>;
          priority?: number;
          ready?: boolean;
          ready_at?: string | null;
          resource_version?: number;
          restarts?: number;
          revision?: number | null;
          scheduled_at?: string | null;
          spec?: NonNullable<Json>;
          started_at?: string | null;
          status?: string;
          status_message?: string | null;
          status_reason?: string | null;
          stop_requested_at?: string | null;
          storage_request?: never;
          version: string;
        };
        Update: {
          annotations?: NonNullable<Json>;
          cpu_request?: never;
          created_at?: string;
          created_by?: string | null;
          deletion_requested_at?: string | null;
          deployment_id?: string | null;
          exit_code?: number | null;
          finished_at?: string | null;
          id?: string;
          incarnation?: number | null;
          labels?: NonNullable<Json>;
          memory_request?: never;
          name?: string;
          namespace?: string;
          node_id?: string | null;
          node_name?: string | null;
          nominated_node_id?: string | null;
          pack_id?: string;
          pack_name?: string;
          pack_version_id?: string;
          pinned_node_id?: string | null;
          ports?: NonNullable<Json>;
          priority?: number;
          ready?: boolean;
          ready_at?: string | null;
          resource_version?: number;
          restarts?: number;
          revision?: number | null;
          scheduled_at?: string | null;
          spec?: NonNullable<Json>;
          started_at?: string | null;
          status?: string;
          status_message?: string | null;
          status_reason?: string | null;
          stop_requested_at?: string | null;
          storage_request?: never;
          version?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'pods_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pods_deployment_id_fkey';
            columns: ['deployment_id'];
            isOneToOne: false;
            referencedRelation: 'deployments';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pods_namespace_fkey';
            columns: ['namespace'];
            isOneToOne: false;
            referencedRelation: 'namespaces';
            referencedColumns: ['name'];
          },
          {
            foreignKeyName: 'pods_node_id_fkey';
            columns: ['node_id'];
            isOneToOne: false;
            referencedRelation: 'node_room';
            referencedColumns: ['node_id'];
          },
          {
            foreignKeyName: 'pods_node_id_fkey';
            columns: ['node_id'];
            isOneToOne: false;
            referencedRelation: 'nodes';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pods_nominated_node_id_fkey';
            columns: ['nominated_node_id'];
            isOneToOne: false;
            referencedRelation: 'node_room';
            referencedColumns: ['node_id'];
          },
          {
            foreignKeyName: 'pods_nominated_node_id_fkey';
            columns: ['nominated_node_id'];
            isOneToOne: false;
            referencedRelation: 'nodes';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pods_pack_id_fkey';
            columns: ['pack_id'];
            isOneToOne: false;
            referencedRelation: 'packs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pods_pack_version_id_fkey';
            columns: ['pack_version_id'];
            isOneToOne: false;
            referencedRelation: 'pack_versions';
            referencedColumns: ['id'];
          },
        ];
      };
      priority_classes: {
        Row: {
          built_in: boolean;
          created_at: string;
          description: string;
          global_default: boolean;
          name: string;
          preemption_policy: string;
          resource_version: number;
          value: number;
        };
        ComputedFields: never;
        Insert: {
          built_in?: boolean;
          created_at?: string;
          description?: string;
          global_default?: boolean;
          name: string;
          preemption_policy?: string;
          resource_version?: number;
          value: number;
        };
        Update: {
          built_in?: boolean;
          created_at?: string;
          description?: string;
          global_default?: boolean;
          name?: string;
          preemption_policy?: string;
          resource_version?: number;
          value?: number;
        };
        Relationships: [];
      };
      profiles: {
        Row: {
          created_at: string;
          disabled_at: string | null;
          display_name: string | null;
          email: string | null;
          id: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          disabled_at?: string | null;
          display_name?: string | null;
          email?: string | null;
          id: string;
        };
        Update: {
          created_at?: string;
          disabled_at?: string | null;
          display_name?: string | null;
          email?: string | null;
          id?: string;
        };
        Relationships: [];
      };
      reported_metrics: {
        Row: {
          counts_for_all: boolean;
          expires_at: string;
          id: number;
          name: string;
          namespace: string;
          reported_at: string;
          reported_by: string | null;
          value: number;
        };
        ComputedFields: never;
        Insert: {
          counts_for_all: boolean;
          expires_at: string;
          id?: never;
          name: string;
          namespace: string;
          reported_at: string;
          reported_by?: string | null;
          value: number;
        };
        Update: {
          counts_for_all?: boolean;
          expires_at?: string;
          id?: never;
          name?: string;
          namespace?: string;
          reported_at?: string;
          reported_by?: string | null;
          value?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'reported_metrics_namespace_fkey';
            columns: ['namespace'];
            isOneToOne: false;
            referencedRelation: 'namespaces';
            referencedColumns: ['name'];
          },
          {
            foreignKeyName: 'reported_metrics_reported_by_fkey';
            columns: ['reported_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      role_bindings: {
        Row: {
          created_at: string;
          created_by: string | null;
          id: string;
          namespace: string | null;
          role: string;
          user_id: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          created_by?: string | null;
          id?: string;
          namespace?: string | null;
          role: string;
          user_id: string;
        };
        Update: {
          created_at?: string;
          created_by?: string | null;
          id?: string;
          namespace?: string | null;
          role?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'binding_names_a_namespace';
            columns: ['namespace'];
            isOneToOne: false;
            referencedRelation: 'namespaces';
            referencedColumns: ['name'];
          },
          {
            foreignKeyName: 'role_bindings_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'role_bindings_role_fkey';
            columns: ['role'];
            isOneToOne: false;
            referencedRelation: 'roles';
            referencedColumns: ['name'];
          },
          {
            foreignKeyName: 'role_bindings_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      role_permissions: {
        Row: {
          kind: string;
          role: string;
          scope: string;
          verb: string;
        };
        ComputedFields: never;
        Insert: {
          kind: string;
          role: string;
          scope?: string;
          verb: string;
        };
        Update: {
          kind?: string;
          role?: string;
          scope?: string;
          verb?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'role_permissions_role_fkey';
            columns: ['role'];
            isOneToOne: false;
            referencedRelation: 'roles';
            referencedColumns: ['name'];
          },
        ];
      };
      roles: {
        Row: {
          alias_of: string | null;
          built_in: boolean;
          description: string;
          name: string;
        };
        ComputedFields: never;
        Insert: {
          alias_of?: string | null;
          built_in?: boolean;
          description?: string;
          name: string;
        };
        Update: {
          alias_of?: string | null;
          built_in?: boolean;
          description?: string;
          name?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'roles_alias_of_fkey';
            columns: ['alias_of'];
            isOneToOne: false;
            referencedRelation: 'roles';
            referencedColumns: ['name'];
          },
        ];
      };
    };
    Views: {
      namespace_usage: {
        Row: {
          cpu: number | null;
          email: string | null;
          memory: number | null;
          namespace: string;
          pods: number | null;
          storage: number | null;
          user_id: string | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: 'pods_created_by_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'pods_namespace_fkey';
            columns: ['namespace'];
            isOneToOne: false;
            referencedRelation: 'namespaces';
            referencedColumns: ['name'];
          },
        ];
      };
      node_history: {
        Row: {
          actor: string | null;
          allocatable: Json | null;
          correlation_id: string | null;
          incarnation: number | null;
          labels: Json | null;
          node_id: string;
          node_name: string | null;
          origin: string;
          resource_version: number | null;
          seq: number;
          status: string | null;
          status_reason: string | null;
          taints: Json | null;
          time: string;
          type: string;
          unschedulable: boolean | null;
        };
        ComputedFields: never;
        Insert: {
          actor?: string | null;
          allocatable?: never;
          correlation_id?: string | null;
          incarnation?: never;
          labels?: never;
          node_id?: string | null;
          node_name?: never;
          origin?: string | null;
          resource_version?: never;
          seq?: number | null;
          status?: never;
          status_reason?: never;
          taints?: never;
          time?: string | null;
          type?: string | null;
          unschedulable?: never;
        };
        Update: {
          actor?: string | null;
          allocatable?: never;
          correlation_id?: string | null;
          incarnation?: never;
          labels?: never;
          node_id?: string | null;
          node_name?: never;
          origin?: string | null;
          resource_version?: never;
          seq?: number | null;
          status?: never;
          status_reason?: never;
          taints?: never;
          time?: string | null;
          type?: string | null;
          unschedulable?: never;
        };
        Relationships: [];
      };
      node_room: {
        Row: {
          free_cpu: number | null;
          free_memory: number | null;
          free_pods: number | null;
          free_storage: number | null;
          labels: NonNullable<Json>;
          name: string;
          node_id: string;
          runtime: string;
          status: string;
          unschedulable: boolean;
        };
        ComputedFields: never;
        Insert: {
          free_cpu?: never;
          free_memory?: never;
          free_pods?: never;
          free_storage?: never;
          labels?: Json | null;
          name?: string | null;
          node_id?: string | null;
          runtime?: string | null;
          status?: string | null;
          unschedulable?: boolean | null;
        };
        Update: {
          free_cpu?: never;
          free_memory?: never;
          free_pods?: never;
          free_storage?: never;
          labels?: Json | null;
          name?: string | null;
          node_id?: string | null;
          runtime?: string | null;
          status?: string | null;
          unschedulable?: boolean | null;
        };
        Relationships: [];
      };
      pod_history: {
        Row: {
          actor: string | null;
          correlation_id: string | null;
          namespace: string | null;
          node_name: string | null;
          origin: string;
          pack_name: string | null;
          pod_id: string;
          pod_name: string | null;
          resource_version: number | null;
          restarts: number | null;
          seq: number;
          status: string | null;
          status_message: string | null;
          status_reason: string | null;
          time: string;
          type: string;
          version: string | null;
        };
        ComputedFields: never;
        Insert: {
          actor?: string | null;
          correlation_id?: string | null;
          namespace?: string | null;
          node_name?: never;
          origin?: string | null;
          pack_name?: never;
          pod_id?: string | null;
          pod_name?: never;
          resource_version?: never;
          restarts?: never;
          seq?: number | null;
          status?: never;
          status_message?: never;
          status_reason?: never;
          time?: string | null;
          type?: string | null;
          version?: never;
        };
        Update: {
          actor?: string | null;
          correlation_id?: string | null;
          namespace?: string | null;
          node_name?: never;
          origin?: string | null;
          pack_name?: never;
          pod_id?: string | null;
          pod_name?: never;
          resource_version?: never;
          restarts?: never;
          seq?: number | null;
          status?: never;
          status_message?: never;
          status_reason?: never;
          time?: string | null;
          type?: string | null;
          version?: never;
        };
        Relationships: [];
      };
    };
    Functions: {
      admit_node: { Args: { p_name: string; p_runtime: string; p_secret_sha256: string }; Returns: Json };
      admit_user: {
        Args: { p_display_name?: string; p_email: string; p_namespace?: string; p_role?: string };
        Returns: Json;
      };
      append_pod_logs: { Args: { p_incarnation: number; p_lines: Json; p_node_id: string }; Returns: number };
      apply_objects: {
        Args: {
          p_dry_run?: boolean;
          p_if_digest?: string;
          p_objects: Json;
          p_project?: string;
          p_prune?: boolean;
          p_take_over?: boolean;
        };
        Returns: Json;
      };
      can_i: { Args: { p_kind: string; p_namespace?: string; p_own?: boolean; p_verb: string }; Returns: boolean };
      cordon_node: {
        Args: { p_name: string };
        Returns: {
          accepted_namespaces: string[];
          accepts: string;
          agent_id: string | null;
          allocatable: NonNullable<Json>;
          allocated: NonNullable<Json>;
          capabilities: NonNullable<Json>;
          connected_at: string | null;
          created_at: string;
          draining: boolean;
          id: string;
          incarnation: number;
          installation: string | null;
          labels: NonNullable<Json>;
          name: string;
          overrides: NonNullable<Json>;
          owner_id: string;
          resource_version: number;
          runtime: string;
          status: string;
          status_reason: string | null;
          taints: NonNullable<Json>;
          unschedulable: boolean;
          updated_at: string;
        };
        SetofOptions: {
          from: '*';
          to: 'nodes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      create_deployment: {
        Args: { p_deployment: Json };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      create_join_token: {
        Args: {
          p_accepted_namespaces?: string[];
          p_accepts?: string;
          p_labels?: Json;
          p_taints?: Json;
          p_ttl_seconds?: number;
          p_uses?: number;
        };
        Returns: Json;
      };
      create_namespace: {
        Args: { p_labels?: Json; p_limit_range?: Json; p_name: string; p_quota?: Json };
        Returns: {
          created_at: string;
          created_by: string | null;
          labels: NonNullable<Json>;
          limit_range: NonNullable<Json>;
          name: string;
          phase: string;
          quota: NonNullable<Json>;
          reserved: boolean;
          resource_version: number;
        };
        SetofOptions: {
          from: '*';
          to: 'namespaces';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      create_pods: {
        Args: { p_pods: Json };
        Returns: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        }[];
        SetofOptions: {
          from: '*';
          to: 'pods';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      create_priority_class: {
        Args: {
          p_description?: string;
          p_global_default?: boolean;
          p_name: string;
          p_preemption_policy?: string;
          p_value: number;
        };
        Returns: {
          built_in: boolean;
          created_at: string;
          description: string;
          global_default: boolean;
          name: string;
          preemption_policy: string;
          resource_version: number;
          value: number;
        };
        SetofOptions: {
          from: '*';
          to: 'priority_classes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      create_role: {
        Args: { p_description?: string; p_name: string; p_permissions: string[] };
        Returns: {
          alias_of: string | null;
          built_in: boolean;
          description: string;
          name: string;
        };
        SetofOptions: {
          from: '*';
          to: 'roles';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      delete_deployment: {
        Args: { p_cascade?: string; p_force?: boolean; p_if_revision?: number; p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      delete_namespace: {
        Args: { p_if_version?: number; p_name: string };
        Returns: {
          created_at: string;
          created_by: string | null;
          labels: NonNullable<Json>;
          limit_range: NonNullable<Json>;
          name: string;
          phase: string;
          quota: NonNullable<Json>;
          reserved: boolean;
          resource_version: number;
        };
        SetofOptions: {
          from: '*';
          to: 'namespaces';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      delete_node: {
        Args: { p_force?: boolean; p_if_version?: number; p_name: string };
        Returns: {
          accepted_namespaces: string[];
          accepts: string;
          agent_id: string | null;
          allocatable: NonNullable<Json>;
          allocated: NonNullable<Json>;
          capabilities: NonNullable<Json>;
          connected_at: string | null;
          created_at: string;
          draining: boolean;
          id: string;
          incarnation: number;
          installation: string | null;
          labels: NonNullable<Json>;
          name: string;
          overrides: NonNullable<Json>;
          owner_id: string;
          resource_version: number;
          runtime: string;
          status: string;
          status_reason: string | null;
          taints: NonNullable<Json>;
          unschedulable: boolean;
          updated_at: string;
        };
        SetofOptions: {
          from: '*';
          to: 'nodes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      delete_objects: { Args: { p_dry_run?: boolean; p_if_digest?: string; p_objects: Json }; Returns: Json };
      delete_pack: {
        Args: { p_if_version?: number; p_name: string };
        Returns: {
          created_at: string;
          description: string | null;
          id: string;
          latest_version: string | null;
          name: string;
          owner_id: string;
          resource_version: number;
          updated_at: string;
          visibility: string;
        };
        SetofOptions: {
          from: '*';
          to: 'packs';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      delete_pods: {
        Args: { p_ids: string[]; p_if_version?: number };
        Returns: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        }[];
        SetofOptions: {
          from: '*';
          to: 'pods';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      delete_priority_class: {
        Args: { p_if_version?: number; p_name: string };
        Returns: {
          built_in: boolean;
          created_at: string;
          description: string;
          global_default: boolean;
          name: string;
          preemption_policy: string;
          resource_version: number;
          value: number;
        };
        SetofOptions: {
          from: '*';
          to: 'priority_classes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      delete_role: { Args: { p_name: string }; Returns: number };
      diagnostics: { Args: Record<PropertyKey, never>; Returns: Json };
      disable_user: {
        Args: { p_user_id: string };
        Returns: {
          created_at: string;
          disabled_at: string | null;
          display_name: string | null;
          email: string | null;
          id: string;
        };
        SetofOptions: {
          from: '*';
          to: 'profiles';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      disconnect_node: { Args: { p_incarnation: number; p_node_id: string }; Returns: undefined };
      drain_node: {
        Args: { p_ignores_budgets?: boolean; p_name: string };
        Returns: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        }[];
        SetofOptions: {
          from: '*';
          to: 'pods';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      enable_user: {
        Args: { p_user_id: string };
        Returns: {
          created_at: string;
          disabled_at: string | null;
          display_name: string | null;
          email: string | null;
          id: string;
        };
        SetofOptions: {
          from: '*';
          to: 'profiles';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      events_topic: { Args: { p_namespace?: string }; Returns: string };
      explain_placement: { Args: { p_pod: Json }; Returns: Json };
      finish_pack_version: { Args: { p_version_id: string }; Returns: Json };
      follow_logs: { Args: { p_pod_id: string }; Returns: Json };
      grant_role: {
        Args: { p_namespace?: string; p_role: string; p_user_id: string };
        Returns: {
          created_at: string;
          created_by: string | null;
          id: string;
          namespace: string | null;
          role: string;
          user_id: string;
        };
        SetofOptions: {
          from: '*';
          to: 'role_bindings';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      is_this_database: { Args: { p_id: string }; Returns: boolean };
      join_node: {
        Args: { p_name: string; p_runtime: string; p_secret_sha256: string; p_user_id: string };
        Returns: Json;
      };
      list_users: {
        Args: Record<PropertyKey, never>;
        Returns: {
          created_at: string;
          disabled_at: string;
          display_name: string;
          email: string;
          id: string;
          last_sign_in_at: string;
          roles: Json;
        }[];
      };
      needs_setup: { Args: Record<PropertyKey, never>; Returns: boolean };
      node_sync: { Args: { p_incarnation?: number; p_node_id: string }; Returns: Json };
      pause_deployment: {
        Args: { p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      pause_rollout: {
        Args: { p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      pending_evictions: {
        Args: { p_name: string };
        Returns: {
          deployment_name: string;
          message: string;
          namespace: string;
          pod_id: string;
          pod_name: string;
          reason: string;
          retry_after_seconds: number;
        }[];
      };
      probe_watcher: { Args: Record<PropertyKey, never>; Returns: number };
      promote_rollout: {
        Args: { p_full?: boolean; p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      register_node: {
        Args: {
          p_allocatable?: Json;
          p_capabilities?: Json;
          p_installation?: string;
          p_labels?: Json;
          p_name: string;
          p_replaces?: string;
          p_runtime: string;
          p_taints?: Json;
        };
        Returns: Json;
      };
      register_pack_version: {
        Args: {
          p_assets_sha256?: string;
          p_assets_size_bytes?: number;
          p_description?: string;
          p_entry?: string;
          p_name: string;
          p_ports?: Json;
          p_runtime: string;
          p_sha256?: string;
          p_size_bytes?: number;
          p_version: string;
          p_visibility?: string;
        };
        Returns: Json;
      };
      report_metric: {
        Args: { p_name: string; p_namespace: string; p_valid_seconds?: number; p_value: number };
        Returns: {
          counts_for_all: boolean;
          expires_at: string;
          id: number;
          name: string;
          namespace: string;
          reported_at: string;
          reported_by: string | null;
          value: number;
        };
        SetofOptions: {
          from: '*';
          to: 'reported_metrics';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      report_pods: { Args: { p_incarnation: number; p_node_id: string; p_reports: Json }; Returns: Json };
      restart_rollout: {
        Args: { p_change_cause?: string; p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      resume_deployment: {
        Args: { p_force?: boolean; p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      resume_rollout: {
        Args: { p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      revoke_join_token: {
        Args: { p_id: string };
        Returns: {
          accepted_namespaces: string[];
          accepts: string | null;
          created_at: string;
          expires_at: string;
          id: string;
          labels: NonNullable<Json>;
          max_uses: number;
          owner_id: string;
          revoked_at: string | null;
          taints: NonNullable<Json>;
          used_at: string | null;
          uses: number;
        };
        SetofOptions: {
          from: '*';
          to: 'join_tokens';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      revoke_role: { Args: { p_namespace?: string; p_role: string; p_user_id: string }; Returns: boolean };
      roll_back_pod: {
        Args: { p_id: string; p_if_version?: number; p_version?: string };
        Returns: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        };
        SetofOptions: {
          from: '*';
          to: 'pods';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      scale_deployment: {
        Args: { p_if_revision?: number; p_mode?: string; p_name: string; p_namespace: string; p_replicas?: number };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      setup_admin: { Args: { p_display_name?: string; p_user_id: string }; Returns: Json };
      stop_pods: {
        Args: { p_ids: string[]; p_if_version?: number };
        Returns: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        }[];
        SetofOptions: {
          from: '*';
          to: 'pods';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      store_watch_secrets: { Args: { p_project_url: string; p_secret_key: string }; Returns: undefined };
      uncordon_node: {
        Args: { p_name: string };
        Returns: {
          accepted_namespaces: string[];
          accepts: string;
          agent_id: string | null;
          allocatable: NonNullable<Json>;
          allocated: NonNullable<Json>;
          capabilities: NonNullable<Json>;
          connected_at: string | null;
          created_at: string;
          draining: boolean;
          id: string;
          incarnation: number;
          installation: string | null;
          labels: NonNullable<Json>;
          name: string;
          overrides: NonNullable<Json>;
          owner_id: string;
          resource_version: number;
          runtime: string;
          status: string;
          status_reason: string | null;
          taints: NonNullable<Json>;
          unschedulable: boolean;
          updated_at: string;
        };
        SetofOptions: {
          from: '*';
          to: 'nodes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      undo_rollout: {
        Args: { p_change_cause?: string; p_name: string; p_namespace: string; p_to_revision?: number };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_cluster_config: {
        Args: { p_changes: Json; p_if_version?: number };
        Returns: {
          allow_node_registration: boolean;
          allow_registration: boolean;
          default_cpu_request: number;
          default_grace_seconds: number;
          default_memory_request: number;
          default_namespace: string;
          ended_pod_retention_days: number;
          event_retention_days: number;
          heartbeat_interval: number;
          heartbeat_timeout: number;
          liveness: string;
          log_retention_days: number;
          max_log_lines_per_pod: number;
          max_pods_per_node: number;
          name: string;
          resource_version: number;
          scheduling_policy: string;
          scheduling_seed: number;
          updated_at: string;
        };
        SetofOptions: {
          from: '*';
          to: 'cluster_config';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_deployment: {
        Args: { p_changes: Json; p_if_revision?: number; p_name: string; p_namespace: string };
        Returns: {
          acts_as: string | null;
          annotations: NonNullable<Json>;
          auto_rollback: boolean;
          autoscale: Json | null;
          available_replicas: number;
          canary_steps: NonNullable<Json>;
          conditions: NonNullable<Json>;
          created_at: string;
          created_by: string | null;
          current_replicas: number;
          deletion_forced: boolean;
          deletion_requested_at: string | null;
          desired_replicas: number;
          disruption_max_unavailable: Json | null;
          follow_after: string | null;
          follow_latest: boolean;
          generation: number;
          id: string;
          include_prerelease: boolean;
          labels: NonNullable<Json>;
          max_surge: NonNullable<Json>;
          max_unavailable: NonNullable<Json>;
          min_ready_seconds: number;
          mode: string;
          name: string;
          namespace: string;
          next_reconcile_at: string | null;
          observed_generation: number;
          pack_id: string;
          pack_name: string;
          paused: boolean;
          progress_deadline_seconds: number;
          ready_replicas: number;
          reconcile_errors: number;
          reconciled_at: string | null;
          replicas: number;
          resource_version: number;
          revision: number;
          revision_history_limit: number;
          rollout_paused: boolean;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          strategy: string;
          unavailable_replicas: number;
          updated_at: string;
          updated_replicas: number;
          version_range: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'deployments';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_namespace: {
        Args: { p_if_version?: number; p_labels?: Json; p_limit_range?: Json; p_name: string; p_quota?: Json };
        Returns: {
          created_at: string;
          created_by: string | null;
          labels: NonNullable<Json>;
          limit_range: NonNullable<Json>;
          name: string;
          phase: string;
          quota: NonNullable<Json>;
          reserved: boolean;
          resource_version: number;
        };
        SetofOptions: {
          from: '*';
          to: 'namespaces';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_node: {
        Args: {
          p_accepted_namespaces?: string[];
          p_accepts?: string;
          p_allocatable?: Json;
          p_capabilities?: Json;
          p_if_version?: number;
          p_labels?: Json;
          p_name: string;
          p_taints?: Json;
        };
        Returns: {
          accepted_namespaces: string[];
          accepts: string;
          agent_id: string | null;
          allocatable: NonNullable<Json>;
          allocated: NonNullable<Json>;
          capabilities: NonNullable<Json>;
          connected_at: string | null;
          created_at: string;
          draining: boolean;
          id: string;
          incarnation: number;
          installation: string | null;
          labels: NonNullable<Json>;
          name: string;
          overrides: NonNullable<Json>;
          owner_id: string;
          resource_version: number;
          runtime: string;
          status: string;
          status_reason: string | null;
          taints: NonNullable<Json>;
          unschedulable: boolean;
          updated_at: string;
        };
        SetofOptions: {
          from: '*';
          to: 'nodes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_pack: {
        Args: { p_description?: string; p_if_version?: number; p_name: string; p_visibility?: string };
        Returns: {
          created_at: string;
          description: string | null;
          id: string;
          latest_version: string | null;
          name: string;
          owner_id: string;
          resource_version: number;
          updated_at: string;
          visibility: string;
        };
        SetofOptions: {
          from: '*';
          to: 'packs';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_pods: {
        Args: { p_annotations?: Json; p_ids: string[]; p_if_version?: number; p_labels?: Json };
        Returns: {
          annotations: NonNullable<Json>;
          cpu_request: number;
          created_at: string;
          created_by: string | null;
          deletion_requested_at: string | null;
          deployment_id: string | null;
          exit_code: number | null;
          finished_at: string | null;
          id: string;
          incarnation: number | null;
          labels: NonNullable<Json>;
          memory_request: number;
          name: string;
          namespace: string;
          node_id: string | null;
          node_name: string | null;
          nominated_node_id: string | null;
          pack_id: string;
          pack_name: string;
          pack_version_id: string;
          pinned_node_id: string | null;
          ports: NonNullable<Json>;
          priority: number;
          ready: boolean;
          ready_at: string | null;
          resource_version: number;
          restarts: number;
          revision: number | null;
          scheduled_at: string | null;
          spec: NonNullable<Json>;
          started_at: string | null;
          status: string;
          status_message: string | null;
          status_reason: string | null;
          stop_requested_at: string | null;
          storage_request: number;
          version: string;
        }[];
        SetofOptions: {
          from: '*';
          to: 'pods';
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      update_priority_class: {
        Args: { p_description?: string; p_global_default?: boolean; p_if_version?: number; p_name: string };
        Returns: {
          built_in: boolean;
          created_at: string;
          description: string;
          global_default: boolean;
          name: string;
          preemption_policy: string;
          resource_version: number;
          value: number;
        };
        SetofOptions: {
          from: '*';
          to: 'priority_classes';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      update_role: {
        Args: { p_description?: string; p_name: string; p_permissions?: string[] };
        Returns: {
          alias_of: string | null;
          built_in: boolean;
          description: string;
          name: string;
        };
        SetofOptions: {
          from: '*';
          to: 'roles';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      watch_nodes: { Args: { p_at: string; p_observations: Json; p_since: string }; Returns: Json };
      whoami: { Args: Record<PropertyKey, never>; Returns: Json };
      withdraw_pack_version: {
        Args: { p_name: string; p_version: string };
        Returns: {
          assets_path: string | null;
          assets_sha256: string | null;
          assets_size_bytes: number | null;
          bucket: string;
          created_at: string;
          created_by: string | null;
          entry: string;
          id: string;
          pack_id: string;
          pack_name: string;
          path: string;
          ports: NonNullable<Json>;
          ready_at: string | null;
          resource_version: number;
          runtime: string;
          sha256: string;
          size_bytes: number;
          state: string;
          version: string;
          version_key: string | null;
        };
        SetofOptions: {
          from: '*';
          to: 'pack_versions';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, 'stark'>];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    ? (DefaultSchema['Tables'] & DefaultSchema['Views'])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables'] | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables'] | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema['Enums'] | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums']
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums'][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema['Enums']
    ? DefaultSchema['Enums'][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema['CompositeTypes']
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes']
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes'][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema['CompositeTypes']
    ? DefaultSchema['CompositeTypes'][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  stark: {
    Enums: {},
  },
} as const;
